-- Remembers under which hash the stored list of transcripts was offered again.
-- $1 workflow_id text, $2 transcripts_hash bytea
UPDATE workflow_store.workflows AS w SET transcripts_hash = $2 WHERE w.workflow_id = $1
