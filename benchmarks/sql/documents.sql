-- Returns all search documents.
SELECT
    d.workflow_id,
    d.document::text AS document
FROM workflow_store.workflow_search AS d
ORDER BY d.workflow_id
