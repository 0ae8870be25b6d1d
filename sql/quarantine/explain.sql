-- Says anew why a record is in quarantine; when it was seen stays.
-- $1 record_hash bytea, $2 reason text
UPDATE workflow_store.ingest_quarantine AS q
SET reason = $2
WHERE q.record_hash = $1
