-- Deletes the content of a workflow; returns the id where there was one, else no row.
-- $1 workflow_id text
DELETE FROM workflow_store.workflow_content AS c WHERE c.workflow_id = $1
RETURNING c.workflow_id
