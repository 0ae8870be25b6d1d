-- Returns the transcripts of many workflows, those of one together and in order.
-- $1 workflow_ids text[]
SELECT
    t.workflow_id,
    t.video_url,
    t.video_id,
    t.platform,
    t.transcript_text,
    t.transcript_json,
    t.duration,
    t.language,
    t.extracted_at
FROM workflow_store.video_transcripts AS t
WHERE t.workflow_id = ANY($1::text[])
ORDER BY t.workflow_id, t.position
