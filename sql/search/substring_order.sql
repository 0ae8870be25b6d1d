-- Orders the page of a search for a part of a text by id, and closes it; it stops at the limit.
-- $1 limit int8
    ORDER BY w.workflow_id
    LIMIT $1
),

page AS (
    SELECT
        ranked.workflow_id,
        ranked.rank,
        ranked.matches
    FROM ranked
)
