-- Keeps those that lack the key quality_score is listed by; they come last, by id.
AND w.quality_score IS NULL
