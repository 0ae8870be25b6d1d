-- Counts a scrape that failed and sets when to try again: after the given seconds, else after a minute, doubled with
-- each retry up to a day. Ends the lease of the token; without a token a lease stays. Returns the entry, or no row where
-- the token is not that of the workflow's lease.
-- $1 workflow_id text, $2 url text, $3 last_error text, $4 token text, $5 retry_after float8
INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, due_at, retry_count, last_error)
SELECT
    $1,
    $2,
    now() + make_interval(secs => coalesce($5::float8, 60)),
    1,
    $3
WHERE
    $4::text IS NULL
    OR EXISTS (
        SELECT FROM workflow_store.workflow_scrape AS held
        WHERE held.workflow_id = $1 AND held.lease_token::text = $4
    )
ON CONFLICT (workflow_id) DO UPDATE SET
    url = coalesce(excluded.url, r.url),
    due_at = now() + make_interval(secs => coalesce($5, least(60 * power(2, least(r.retry_count, 11)), 86400))),
    lease_token = CASE WHEN $4 IS NULL THEN r.lease_token END,
    lease_until = CASE WHEN $4 IS NULL THEN r.lease_until END,
    retry_count = least(r.retry_count, 9223372036854775806) + 1,
    given_hash = NULL,
    last_error = excluded.last_error
WHERE $4 IS NULL OR r.lease_token::text = $4
RETURNING
    r.workflow_id,
    r.url,
    r.due_at,
    r.retry_count
