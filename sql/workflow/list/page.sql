-- Opens the ids of one page, picked from the parents alone, so that no part is read for a row that is not shown.
-- Filters, an order and a limit follow, then `close`.
WITH page AS (
    SELECT w.workflow_id
    FROM workflow_store.workflows AS w
    WHERE true
