-- Fills the ORM's table with what the store has.
INSERT INTO original.workflow_structure (
    workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json, extracted_at
)
SELECT
    s.workflow_id, s.node_count, s.connection_count, s.node_types, s.extraction_type, s.fallback_used,
    s.workflow_json, s.extracted_at
FROM workflow_store.workflow_structure AS s
