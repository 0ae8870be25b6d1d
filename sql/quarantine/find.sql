-- Returns the keys between two, at most two of them: enough to tell whether there is one, none or several.
-- $1 lowest bytea, $2 highest bytea
SELECT q.record_hash
FROM workflow_store.ingest_quarantine AS q
WHERE q.record_hash BETWEEN $1 AND $2
ORDER BY q.record_hash
LIMIT 2
