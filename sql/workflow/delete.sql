-- Deletes the workflow with its parts and media links, and forgets its scraping; returns whether it was there.
-- $1 workflow_id text
WITH gone AS (
    DELETE FROM workflow_store.workflows AS w WHERE w.workflow_id = $1
    RETURNING w.workflow_id
),

forgotten AS (
    DELETE FROM workflow_store.workflow_scrape AS r
    WHERE r.workflow_id = $1 AND EXISTS (SELECT FROM gone)
),

unmarked AS (
    DELETE FROM workflow_store.workflow_search_pending AS p
    WHERE p.workflow_id = $1 AND EXISTS (SELECT FROM gone)
)

SELECT EXISTS (SELECT FROM gone) AS deleted
