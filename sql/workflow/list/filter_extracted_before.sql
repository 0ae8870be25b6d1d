-- Keeps only those extracted before this moment.
-- $1 extracted_before timestamptz
AND w.extracted_at < $1
