-- Keeps those that lack the key title is listed by; they come last, by id.
AND w.title_key IS NULL
