-- Returns the link of a workflow with this name, if there is one.
-- $1 workflow_id text, $2 name text
SELECT
    m.name,
    m.sha256,
    m.size,
    m.content_type,
    m.created_at
FROM workflow_store.workflow_media AS m
WHERE m.workflow_id = $1 AND m.name = $2
