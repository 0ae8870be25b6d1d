-- Keeps those that lack the key node_count is listed by; they come last, by id.
AND w.node_count IS NULL
