DROP TABLE workflow_store.workflow_scrape;

DROP TABLE workflow_store.video_transcripts;

DROP TABLE workflow_store.workflow_content;

DROP TABLE workflow_store.workflow_structure;

DROP TABLE workflow_store.workflow_metadata;

DROP TABLE workflow_store.workflows;
