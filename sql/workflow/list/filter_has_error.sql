-- Keeps only those whose last scrape failed.
AND w.error_message IS NOT NULL
