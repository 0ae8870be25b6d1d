-- Keeps only those with at least this many nodes.
-- $1 min_nodes int8
AND w.node_count >= $1
