-- Clears marks where no writer has renewed them since their documents were made; returns the ids of those cleared.
-- $1 workflow_ids text[], $2 marks text[]
DELETE FROM workflow_store.workflow_search_pending AS p
USING unnest($1::text[], $2::text[]) AS made (workflow_id, mark)
WHERE p.workflow_id = made.workflow_id AND p.mark::text = made.mark
RETURNING p.workflow_id
