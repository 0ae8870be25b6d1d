-- Returns the records in quarantine, the last seen first.
-- $1 limit int8
SELECT
    q.record_hash,
    q.source,
    q.position,
    q.workflow_id,
    q.reason,
    q.raw,
    q.raw_length,
    q.first_seen_at,
    q.last_seen_at
FROM workflow_store.ingest_quarantine AS q
ORDER BY q.last_seen_at DESC, q.record_hash
LIMIT $1
