-- Deletes the workflow with its parts and media links, and forgets its scraping; returns whether it was there. A mark for
-- search stays, and the next refresh clears it: taken here, it would be locked before the cascade reaches the document,
-- which is the other way round than a refresh does.
-- $1 workflow_id text
WITH gone AS (
    DELETE FROM workflow_store.workflows AS w WHERE w.workflow_id = $1
    RETURNING w.workflow_id
),

forgotten AS (
    DELETE FROM workflow_store.workflow_scrape AS r
    WHERE r.workflow_id = $1 AND EXISTS (SELECT FROM gone)
)

SELECT EXISTS (SELECT FROM gone) AS deleted
