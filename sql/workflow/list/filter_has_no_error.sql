-- Keeps only those whose last scrape did not fail.
AND w.error_message IS NULL
