-- Opens the ids of one page, for filters that many workflows meet: as many rows of the order as a limit says are looked
-- at, and no more. What narrows the order itself follows, an order and a limit, then `walked`.
WITH page AS (
    SELECT w.workflow_id
    FROM (
        SELECT w.*
        FROM workflow_store.workflows AS w
        WHERE true
