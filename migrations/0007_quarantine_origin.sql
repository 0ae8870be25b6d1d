-- depends: 0006_scrape_queue
-- Of records in quarantine: how often they were seen, and what is needed to read their bytes again.

ALTER TABLE workflow_store.ingest_quarantine
    ADD COLUMN times_seen bigint NOT NULL DEFAULT 1,
    ADD COLUMN relative text,
    ADD COLUMN id_from text;
