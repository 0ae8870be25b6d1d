-- Opens a ranked search: what matches by its title and short texts, then what matches by all of its texts. Filters on w
-- follow, then workflow/search's close.
-- $1 words text
WITH asked AS MATERIALIZED (
    SELECT websearch_to_tsquery('workflow_store.document'::regconfig, $1) AS query
),

found AS (
    SELECT
        m.workflow_id,
        m.short_document
    FROM workflow_store.workflow_metadata AS m
    WHERE m.short_document @@ (SELECT asked.query FROM asked)
    UNION ALL
    SELECT
        d.workflow_id,
        NULL AS short_document
    FROM workflow_store.workflow_search AS d
    LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = d.workflow_id
    WHERE
        d.document @@ (SELECT asked.query FROM asked)
        AND NOT coalesce(m.short_document @@ (SELECT asked.query FROM asked), false)
),

candidates AS (
    SELECT
        found.workflow_id,
        found.short_document
    FROM found
    INNER JOIN workflow_store.workflows AS w ON w.workflow_id = found.workflow_id
    WHERE true
