-- Returns ids out of the whole store, the same every time.
-- $1 limit int8
SELECT w.workflow_id
FROM workflow_store.workflows AS w
ORDER BY md5(w.workflow_id)
LIMIT $1
