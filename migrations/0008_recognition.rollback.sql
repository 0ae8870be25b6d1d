ALTER TABLE workflow_store.workflow_scrape
    DROP COLUMN given_at,
    DROP COLUMN given_hash;
