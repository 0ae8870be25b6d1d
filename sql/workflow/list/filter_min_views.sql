-- Keeps only those with at least this many views.
-- $1 min_views int8
AND w.views >= $1
