-- Returns how many workflows are stored, and how many wait for their search document.
SELECT
    (SELECT count(*) FROM workflow_store.workflows) AS stored,
    (SELECT count(*) FROM workflow_store.workflow_search_pending) AS waiting
