-- Returns what is due and not leased, the longest due first.
-- $1 limit int8
SELECT
    r.workflow_id,
    r.url,
    r.due_at,
    r.retry_count
FROM workflow_store.workflow_scrape AS r
WHERE r.due_at <= now() AND (r.lease_until IS NULL OR r.lease_until < now())
ORDER BY r.due_at, r.workflow_id
LIMIT $1
