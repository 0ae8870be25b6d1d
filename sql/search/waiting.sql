-- Returns ids that wait for their search document, in order.
-- $1 after text, $2 limit int8
SELECT p.workflow_id
FROM workflow_store.workflow_search_pending AS p
WHERE p.workflow_id > $1
ORDER BY p.workflow_id
LIMIT $2
