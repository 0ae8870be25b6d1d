-- Keeps those that have the key node_count is listed by; they come first.
AND w.node_count IS NOT NULL
