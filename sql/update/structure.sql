-- Sets the named columns of a workflow's structure; where none is stored it is created, the other columns empty.
-- The parent's row is locked by then. The hash becomes unknown: what the scraper would spell is not known here.
-- $1 workflow_id text, $2 columns text[], $3 node_count int8, $4 connection_count int8, $5 node_types jsonb,
-- $6 extraction_type text, $7 fallback_used bool, $8 workflow_json jsonb, $9 extracted_at timestamptz
INSERT INTO workflow_store.workflow_structure AS s (
    workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json,
    extracted_at, content_hash
)
VALUES ($1, $3, $4, $5, $6, $7, $8, $9, NULL)
ON CONFLICT (workflow_id) DO UPDATE SET
    node_count = CASE WHEN 'node_count' = ANY ($2) THEN excluded.node_count ELSE s.node_count END,
    connection_count = CASE
        WHEN 'connection_count' = ANY ($2) THEN excluded.connection_count
        ELSE s.connection_count
    END,
    node_types = CASE WHEN 'node_types' = ANY ($2) THEN excluded.node_types ELSE s.node_types END,
    extraction_type = CASE WHEN 'extraction_type' = ANY ($2) THEN excluded.extraction_type ELSE s.extraction_type END,
    fallback_used = CASE WHEN 'fallback_used' = ANY ($2) THEN excluded.fallback_used ELSE s.fallback_used END,
    workflow_json = CASE WHEN 'workflow_json' = ANY ($2) THEN excluded.workflow_json ELSE s.workflow_json END,
    extracted_at = CASE WHEN 'extracted_at' = ANY ($2) THEN excluded.extracted_at ELSE s.extracted_at END,
    content_hash = NULL
