-- Keeps only those with at least this score.
-- $1 min_quality float8
AND w.quality_score >= $1
