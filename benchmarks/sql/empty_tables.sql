-- Empties the store's tables.
TRUNCATE
    workflow_store.workflows,
    workflow_store.workflow_scrape,
    workflow_store.workflow_search_pending
CASCADE
