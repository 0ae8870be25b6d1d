-- Leases a workflow that is due and not leased; no row where another scraper was faster. The condition is asked again
-- behind that one's lock. (The token comes from outside: a distributed table takes no volatile function in an UPDATE.)
-- $1 workflow_id text, $2 token text, $3 seconds float8
UPDATE workflow_store.workflow_scrape AS r
SET lease_token = $2::text::uuid, lease_until = now() + make_interval(secs => $3)
WHERE r.workflow_id = $1 AND r.due_at <= now() AND (r.lease_until IS NULL OR r.lease_until < now())
RETURNING
    r.workflow_id,
    r.url,
    r.lease_token::text AS token,
    r.lease_until,
    r.due_at,
    r.retry_count
