-- Returns values at the far ends of what is stored, one row: a half and 99.5 % of the workflows lie below the middle and
-- the high ones, 0.5 % below the low ones.
SELECT
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.quality_score) AS middle_quality,
    percentile_disc(0.995) WITHIN GROUP (ORDER BY w.quality_score) AS high_quality,
    percentile_disc(0.005) WITHIN GROUP (ORDER BY w.quality_score) AS low_quality,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.views) AS middle_views,
    percentile_disc(0.995) WITHIN GROUP (ORDER BY w.views) AS high_views,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.node_count) AS middle_nodes,
    percentile_disc(0.995) WITHIN GROUP (ORDER BY w.node_count) AS high_nodes,
    percentile_disc(0.005) WITHIN GROUP (ORDER BY w.node_count) AS low_nodes,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.extracted_at) AS middle_extracted,
    percentile_disc(0.995) WITHIN GROUP (ORDER BY w.extracted_at) AS high_extracted,
    percentile_disc(0.005) WITHIN GROUP (ORDER BY w.extracted_at) AS low_extracted,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.updated_at) AS middle_updated,
    percentile_disc(0.995) WITHIN GROUP (ORDER BY w.updated_at) AS high_updated
FROM workflow_store.workflows AS w
