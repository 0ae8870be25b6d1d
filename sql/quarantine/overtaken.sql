-- Returns those of the workflows that were stored, or seen unchanged, after a moment, and keeps all of them from being
-- written by others until the end of the transaction.
-- $1 workflow_ids text[], $2 moment timestamptz
SELECT w.workflow_id
FROM (
    SELECT
        l.workflow_id,
        l.updated_at
    FROM workflow_store.workflows AS l
    WHERE l.workflow_id = ANY($1)
    ORDER BY l.workflow_id
    FOR NO KEY UPDATE
) AS w
LEFT JOIN workflow_store.workflow_scrape AS s ON w.workflow_id = s.workflow_id
WHERE greatest(w.updated_at, s.last_seen_at) > $2
