-- Returns titles of which a word begins with the given letters: those that begin with them first, then the most viewed.
-- $1 start_pattern text, $2 word_pattern text, $3 bound int8, $4 limit int8
WITH candidates AS (
    SELECT
        w.workflow_id,
        w.title_key,
        w.views,
        true AS begins
    FROM workflow_store.workflows AS w
    WHERE w.title_key COLLATE "default" ILIKE $1::text
    UNION ALL
    (
        SELECT
            w.workflow_id,
            w.title_key,
            w.views,
            false AS begins
        FROM workflow_store.workflows AS w
        WHERE w.title_key COLLATE "default" ILIKE $2::text
        LIMIT $3
    )
),

titles AS (
    SELECT
        candidates.title_key,
        bool_or(candidates.begins) AS begins,
        max(candidates.views) AS views
    FROM candidates
    GROUP BY candidates.title_key
)

SELECT titles.title_key AS title
FROM titles
ORDER BY titles.begins DESC, titles.views DESC NULLS LAST, titles.title_key
LIMIT $4
