-- Notes that the texts of workflows changed, so that their search documents are made anew; in the order of the ids.
-- $1 workflow_ids text[]
INSERT INTO workflow_store.workflow_search_pending AS p (workflow_id)
SELECT changed.workflow_id
FROM unnest($1::text[]) AS changed (workflow_id)
ORDER BY changed.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET mark = excluded.mark, marked_at = excluded.marked_at
