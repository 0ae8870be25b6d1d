-- Keeps only those extracted at this moment or later.
-- $1 extracted_after timestamptz
AND w.extracted_at >= $1
