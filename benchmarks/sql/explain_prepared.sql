-- Opens the plan of a prepared statement, as this session would run it next. {name} identifier, {arguments} literals.
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name}{arguments}
