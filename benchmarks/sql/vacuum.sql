-- Brings statistics, visibility maps and the pending lists of GIN indexes up to date.
VACUUM (ANALYZE)
