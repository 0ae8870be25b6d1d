-- Keeps what comes behind a place in the order by quality_score, ascending.
-- $1 quality_score float8, $2 workflow_id text
AND (w.quality_score, w.workflow_id) > ($1::float8, $2)
