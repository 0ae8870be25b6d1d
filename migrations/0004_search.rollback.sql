DROP INDEX workflow_store.workflows_title_trigrams_idx;

DROP FUNCTION workflow_store.resemblance(text, text);

DROP FUNCTION workflow_store.resembles(text, text);

DROP TABLE workflow_store.workflow_search_pending;

DROP TABLE workflow_store.workflow_search;

ALTER TABLE workflow_store.workflow_metadata DROP COLUMN short_document;

DROP TEXT SEARCH CONFIGURATION workflow_store.document;
