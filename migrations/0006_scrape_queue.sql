-- depends: 0005_listing
-- The queue of what is to be scraped: its order, and the last error, also of what was never stored.

ALTER TABLE workflow_store.workflow_scrape ADD COLUMN last_error text;

-- Only what is queued is in it. Leases are not, so that claiming stays a HOT update.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflow_scrape_due_at_idx ON workflow_store.workflow_scrape (due_at, workflow_id)
WHERE due_at IS NOT NULL;
