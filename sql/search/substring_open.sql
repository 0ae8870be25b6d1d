-- Opens a search for a part of a text, whatever its case. Fields follow, each with OR, then filters on w.
WITH ranked AS (
    SELECT
        w.workflow_id,
        0::float8 AS rank,
        NULL::int8 AS matches
    FROM workflow_store.workflows AS w
    INNER JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id
    WHERE (false
