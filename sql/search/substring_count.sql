-- Opens the count of a search for a part of a text. Fields follow, each with OR, then filters on w.
SELECT count(*) AS total
FROM workflow_store.workflows AS w
INNER JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id
WHERE (false
