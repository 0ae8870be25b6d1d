-- Finds the part in the title.
-- $1 pattern text
OR m.title ILIKE $1
