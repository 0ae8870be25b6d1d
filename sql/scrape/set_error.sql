-- Sets the error of a stored workflow whose scrape failed; nothing is written where it is the same as before.
-- $1 workflow_id text, $2 error_message text
UPDATE workflow_store.workflows AS w
SET error_message = $2, updated_at = greatest(now(), w.updated_at + interval '1 microsecond')
WHERE w.workflow_id = $1 AND w.error_message IS DISTINCT FROM $2
