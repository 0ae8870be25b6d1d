-- Keeps only those updated at this moment or later.
-- $1 updated_after timestamptz
AND w.updated_at >= $1
