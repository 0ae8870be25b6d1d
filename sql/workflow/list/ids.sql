-- Opens a stream: the ids alone, so that what the server may have to sort is narrow. Filters and a sort follow.
SELECT w.workflow_id
FROM workflow_store.workflows AS w
WHERE true
