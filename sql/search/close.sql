-- Closes the candidates of a ranked search and ranks them. Ranking reads the document of each, and is what costs: a word
-- that is everywhere has no more candidates than the bound.
-- $1 bound int8
    LIMIT greatest($1 - (SELECT count(*) FROM entitled), 0)
),

candidates AS (
    SELECT
        entitled.workflow_id,
        entitled.short_document
    FROM entitled
    UNION ALL
    SELECT
        mentioned.workflow_id,
        NULL AS short_document
    FROM mentioned
),

ranked AS (
    SELECT
        candidates.workflow_id,
        count(*) OVER () AS matches,
        greatest(
            ts_rank_cd(coalesce(d.document, ''::tsvector), asked.query),
            ts_rank_cd(coalesce(candidates.short_document, ''::tsvector), asked.query)
        )::float8 AS rank
    FROM candidates
    CROSS JOIN asked
    LEFT JOIN workflow_store.workflow_search AS d ON d.workflow_id = candidates.workflow_id
),

page AS (
    SELECT
        ranked.workflow_id,
        ranked.rank,
        ranked.matches
    FROM ranked
    WHERE true
