-- Opens the plan of the statement that follows, with what it read.
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
