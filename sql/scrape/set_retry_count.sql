-- Sets how often the scraping of a workflow was tried again.
-- $1 workflow_id text, $2 retry_count int8
INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, retry_count)
VALUES ($1, $2)
ON CONFLICT (workflow_id) DO UPDATE SET retry_count = excluded.retry_count
