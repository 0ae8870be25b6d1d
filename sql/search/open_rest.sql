-- Goes on with what matches by all of its texts, as far as the bound leaves room. Filters on w follow.
-- $1 bound int8
    LIMIT $1
),

mentioned AS (
    SELECT d.workflow_id
    FROM workflow_store.workflow_search AS d
    INNER JOIN workflow_store.workflows AS w ON w.workflow_id = d.workflow_id
    LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = d.workflow_id
    WHERE
        d.document @@ (SELECT asked.query FROM asked)
        AND NOT coalesce(m.short_document @@ (SELECT asked.query FROM asked), false)
