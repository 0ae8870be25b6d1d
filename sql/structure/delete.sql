-- Deletes the structure of a workflow; returns the id where there was one, else no row.
-- $1 workflow_id text
DELETE FROM workflow_store.workflow_structure AS s WHERE s.workflow_id = $1
RETURNING s.workflow_id
