DROP INDEX workflow_store.workflow_scrape_due_at_idx;

ALTER TABLE workflow_store.workflow_scrape DROP COLUMN last_error;
