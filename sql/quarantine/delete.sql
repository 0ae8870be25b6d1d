-- Deletes records from quarantine; returns the keys of those that were there.
-- $1 record_hashes bytea[]
DELETE FROM workflow_store.ingest_quarantine AS q
WHERE q.record_hash = ANY($1)
RETURNING q.record_hash
