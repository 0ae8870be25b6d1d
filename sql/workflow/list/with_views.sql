-- Keeps those that have the key views is listed by; they come first.
AND w.views IS NOT NULL
