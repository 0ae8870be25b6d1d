DROP TABLE workflow_store.ingest_quarantine;
