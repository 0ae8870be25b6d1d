-- Finds the part in the use_case.
-- $1 pattern text
OR m.use_case ILIKE $1
