-- Returns how many workflows wait for their search document, and for how many seconds the longest has.
SELECT
    count(*) AS pending,
    coalesce(extract(EPOCH FROM now() - min(p.marked_at)), 0)::float8 AS oldest
FROM workflow_store.workflow_search_pending AS p
