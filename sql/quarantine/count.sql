-- Returns how many records are in quarantine.
-- $1 source text: how theirs begins
SELECT count(*) AS total
FROM workflow_store.ingest_quarantine AS q
WHERE starts_with(q.source, $1)
