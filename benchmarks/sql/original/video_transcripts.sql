-- Fills the ORM's table with what the store has.
INSERT INTO original.video_transcripts (
    workflow_id, video_url, video_id, platform, transcript_text, transcript_json, duration, language, extracted_at
)
SELECT
    v.workflow_id, v.video_url, v.video_id, v.platform, v.transcript_text, v.transcript_json, v.duration, v.language,
    v.extracted_at
FROM workflow_store.video_transcripts AS v
