-- Returns a page of the records in quarantine without their bytes, the last seen first.
-- $1 source text: how theirs begins, $2 last_seen_at timestamptz and $3 record_hash bytea: the place that the page lies
-- behind, $4 limit int8
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
    q.id_from
FROM workflow_store.ingest_quarantine AS q
WHERE (q.last_seen_at, q.record_hash) < ($2, $3) AND starts_with(q.source, $1)
ORDER BY q.last_seen_at DESC, q.record_hash DESC
LIMIT $4
