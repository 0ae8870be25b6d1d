-- Returns one row: how many workflows are stored, and how many records are in quarantine. Takes nothing.
SELECT
    (SELECT count(*) FROM workflow_store.workflows) AS workflows,
    (SELECT count(*) FROM workflow_store.ingest_quarantine) AS quarantined
