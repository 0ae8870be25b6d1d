-- Returns authors with the number of workflows they published, the busiest first.
SELECT
    m.author_name AS name,
    count(*) AS workflows
FROM workflow_store.workflow_metadata AS m
WHERE m.author_name IS NOT NULL
GROUP BY m.author_name
ORDER BY workflows DESC, m.author_name
