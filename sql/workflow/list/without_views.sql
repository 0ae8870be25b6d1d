-- Keeps those that lack the key views is listed by; they come last, by id.
AND w.views IS NULL
