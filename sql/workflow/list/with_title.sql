-- Keeps those that have the key title is listed by; they come first.
AND w.title_key IS NOT NULL
