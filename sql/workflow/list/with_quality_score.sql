-- Keeps those that have the key quality_score is listed by; they come first.
AND w.quality_score IS NOT NULL
