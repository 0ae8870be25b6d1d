-- Keeps only those with at most this many nodes.
-- $1 max_nodes int8
AND w.node_count <= $1
