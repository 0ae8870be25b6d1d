ALTER TABLE workflow_store.ingest_quarantine
    DROP COLUMN id_from,
    DROP COLUMN relative,
    DROP COLUMN times_seen;
