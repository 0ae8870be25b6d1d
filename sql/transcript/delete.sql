-- Deletes the transcripts of a workflow; returns the id for each there was.
-- $1 workflow_id text
DELETE FROM workflow_store.video_transcripts AS t WHERE t.workflow_id = $1
RETURNING t.workflow_id
