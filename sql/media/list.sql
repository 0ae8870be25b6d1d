-- Returns a workflow's links whose names come after the given one, by name; no name comes before the empty one.
-- $1 workflow_id text, $2 after text, $3 limit int8
SELECT
    m.name,
    m.sha256,
    m.size,
    m.content_type,
    m.created_at
FROM workflow_store.workflow_media AS m
WHERE m.workflow_id = $1 AND m.name > $2
ORDER BY m.name
LIMIT $3
