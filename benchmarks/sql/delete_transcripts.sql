-- Deletes all transcripts of the given workflows.
-- $1 workflow_ids text[]
DELETE FROM workflow_store.video_transcripts AS v WHERE v.workflow_id = ANY ($1)
