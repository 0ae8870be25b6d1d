-- Returns one row of counts and averages over all workflows; rates in percent, times in seconds.
SELECT
    count(*) AS total_workflows,
    count(*) FILTER (WHERE w.layer1_success) AS layer1_success_count,
    count(*) FILTER (WHERE w.layer2_success) AS layer2_success_count,
    count(*) FILTER (WHERE w.layer3_success) AS layer3_success_count,
    coalesce(100.0 * count(*) FILTER (WHERE w.layer1_success) / nullif(count(*), 0), 0)::float8
        AS layer1_success_rate,
    coalesce(100.0 * count(*) FILTER (WHERE w.layer2_success) / nullif(count(*), 0), 0)::float8
        AS layer2_success_rate,
    coalesce(100.0 * count(*) FILTER (WHERE w.layer3_success) / nullif(count(*), 0), 0)::float8
        AS layer3_success_rate,
    avg(w.quality_score) AS avg_quality_score,
    avg(w.processing_time) AS avg_processing_time
FROM workflow_store.workflows AS w
