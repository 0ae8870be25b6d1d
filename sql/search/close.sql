-- Closes the candidates of a ranked search and ranks them. Ranking each match of a common word is what costs, so only
-- the first candidates are ranked: matches by title and short texts come first.
-- $1 bound int8
    LIMIT $1
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
