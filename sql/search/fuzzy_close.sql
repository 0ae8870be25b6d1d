-- Closes the candidates of a search for resembling titles.
-- $1 bound int8
    LIMIT $1
),

ranked AS (
    SELECT
        candidates.workflow_id,
        candidates.rank,
        count(*) OVER () AS matches
    FROM candidates
),

page AS (
    SELECT
        ranked.workflow_id,
        ranked.rank,
        ranked.matches
    FROM ranked
    WHERE true
