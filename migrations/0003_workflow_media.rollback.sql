DROP TABLE workflow_store.workflow_media;
