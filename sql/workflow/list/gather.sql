-- Opens the ids of one page, for filters that few workflows meet: all that match are gathered first, and no order is
-- walked for them. Filters follow, then `gathered`.
WITH matching AS MATERIALIZED (
    SELECT
        w.workflow_id,
        w.extracted_at,
        w.updated_at,
        w.quality_score,
        w.title_key,
        w.views,
        w.node_count
    FROM workflow_store.workflows AS w
    WHERE true
