-- Opens a ranked search with what matches by its title and short texts. Filters on w follow.
-- $1 words text
WITH asked AS MATERIALIZED (
    SELECT websearch_to_tsquery('workflow_store.document'::regconfig, $1) AS query
),

entitled AS MATERIALIZED (
    SELECT
        m.workflow_id,
        m.short_document
    FROM workflow_store.workflow_metadata AS m
    INNER JOIN workflow_store.workflows AS w ON w.workflow_id = m.workflow_id
    WHERE m.short_document @@ (SELECT asked.query FROM asked)
