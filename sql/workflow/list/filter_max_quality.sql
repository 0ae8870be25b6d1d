-- Keeps only those with at most this score.
-- $1 max_quality float8
AND w.quality_score <= $1
