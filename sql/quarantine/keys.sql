-- Returns the next keys of the records in quarantine, in an order that nothing changes.
-- $1 source text: how theirs begins, $2 record_hash bytea: the one before, $3 limit int8
SELECT q.record_hash
FROM workflow_store.ingest_quarantine AS q
WHERE q.record_hash > $2 AND starts_with(q.source, $1)
ORDER BY q.record_hash
LIMIT $3
