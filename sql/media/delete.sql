-- Deletes a workflow's link, not the file; returns its name if it was there.
-- $1 workflow_id text, $2 name text
DELETE FROM workflow_store.workflow_media AS m
WHERE m.workflow_id = $1 AND m.name = $2
RETURNING m.name
