-- Returns categories with the number of workflows that have them, the commonest first.
SELECT
    t.name,
    count(*) AS workflows
FROM workflow_store.workflow_metadata AS m
CROSS JOIN LATERAL jsonb_array_elements_text(m.categories) AS t (name)
GROUP BY t.name
ORDER BY workflows DESC, t.name
