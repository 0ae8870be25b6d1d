-- Makes the stored structure the given one; returns true where that changed anything.
-- The parent's row is locked by then, so the comparison stands. Where only the spelling of the JSON differs, the hash
-- is refreshed and nothing else. (jsonb is compared as text: 1.0 equals 1.00 as jsonb, but a digit would be lost.)
-- $1 workflow_id text, $2 node_count int8, $3 connection_count int8, $4 node_types jsonb, $5 extraction_type text,
-- $6 fallback_used bool, $7 workflow_json jsonb, $8 extracted_at timestamptz, $9 content_hash bytea
WITH stored AS (
    SELECT
        s.content_hash,
        coalesce(s.content_hash = $9, false) OR (
            s.node_count IS NOT DISTINCT FROM $2
            AND s.connection_count IS NOT DISTINCT FROM $3
            AND s.extraction_type IS NOT DISTINCT FROM $5
            AND s.fallback_used IS NOT DISTINCT FROM $6
            AND s.node_types::text IS NOT DISTINCT FROM $4::jsonb::text
            AND s.workflow_json::text IS NOT DISTINCT FROM $7::jsonb::text
        ) AS same
    FROM workflow_store.workflow_structure AS s
    WHERE s.workflow_id = $1
),

refreshed AS (
    UPDATE workflow_store.workflow_structure AS s SET content_hash = $9
    FROM stored
    WHERE s.workflow_id = $1 AND stored.same AND stored.content_hash IS DISTINCT FROM $9
),

written AS (
    INSERT INTO workflow_store.workflow_structure AS s (
        workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json,
        extracted_at, content_hash
    )
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
    WHERE NOT EXISTS (SELECT FROM stored WHERE stored.same)
    ON CONFLICT (workflow_id) DO UPDATE SET
        node_count = excluded.node_count,
        connection_count = excluded.connection_count,
        node_types = excluded.node_types,
        extraction_type = excluded.extraction_type,
        fallback_used = excluded.fallback_used,
        workflow_json = excluded.workflow_json,
        extracted_at = excluded.extracted_at,
        content_hash = excluded.content_hash
)

SELECT NOT EXISTS (SELECT FROM stored WHERE stored.same) AS changed
