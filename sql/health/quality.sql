-- Returns a row each for the tens of the quality score that workflows have, the lowest first: tens int4 (0 is 0 up to 10,
-- 9 is 90 to 100), workflows int8. Takes nothing.
SELECT
    least(floor(quality_score / 10)::integer, 9) AS tens,
    count(*) AS workflows
FROM workflow_store.workflows
WHERE quality_score IS NOT NULL
GROUP BY 1
ORDER BY 1
