-- Finds the part in the description.
-- $1 pattern text
OR m.description ILIKE $1
