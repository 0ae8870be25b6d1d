-- Links a file to a workflow under a name, in place of what had the name before; returns the link.
-- $1 workflow_id text, $2 name text, $3 sha256 bytea, $4 size int8, $5 content_type text
INSERT INTO workflow_store.workflow_media AS m (workflow_id, name, sha256, size, content_type, created_at)
VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT (workflow_id, name) DO UPDATE SET
    sha256 = excluded.sha256,
    size = excluded.size,
    content_type = excluded.content_type,
    created_at = excluded.created_at
RETURNING m.name, m.sha256, m.size, m.content_type, m.created_at
