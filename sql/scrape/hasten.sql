-- Makes queued workflows due at a time, where they were due later. They are locked by the enqueueing before it.
-- $1 workflow_ids text[], $2 due_at timestamptz
UPDATE workflow_store.workflow_scrape AS r
SET due_at = $2
WHERE r.workflow_id = ANY ($1) AND r.due_at > $2
