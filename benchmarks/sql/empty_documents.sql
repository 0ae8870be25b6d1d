-- Empties the table of search documents.
TRUNCATE workflow_store.workflow_search
