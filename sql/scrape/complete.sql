-- Ends a lease whose scrape went well; returns the id, or no row where the token is not that of the workflow's lease.
-- $1 workflow_id text, $2 token text, $3 next_due_at timestamptz, $4 retry_count int8
UPDATE workflow_store.workflow_scrape AS r
SET
    due_at = $3,
    lease_token = NULL,
    lease_until = NULL,
    retry_count = coalesce($4::int8, 0),
    given_hash = CASE WHEN r.retry_count = coalesce($4, 0) THEN r.given_hash END,
    last_error = NULL
WHERE r.workflow_id = $1 AND r.lease_token::text = $2
RETURNING r.workflow_id
