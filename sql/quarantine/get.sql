-- Returns one record in quarantine with its bytes, if it is there.
-- $1 record_hash bytea
SELECT
    q.record_hash,
    q.source,
    q.position,
    q.workflow_id,
    q.reason,
    q.raw_length,
    octet_length(q.raw) AS kept,
    q.times_seen,
    q.first_seen_at,
    q.last_seen_at,
    q.relative,
    q.id_from,
    q.raw
FROM workflow_store.ingest_quarantine AS q
WHERE q.record_hash = $1
