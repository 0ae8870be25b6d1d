-- Fills the ORM's table with what the store has.
INSERT INTO original.workflow_content (
    workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos, video_count,
    has_iframes, iframe_count, raw_content, extracted_at
)
SELECT
    c.workflow_id, c.explainer_text, c.explainer_html, c.setup_instructions, c.use_instructions, c.has_videos,
    c.video_count, c.has_iframes, c.iframe_count, c.raw_content, c.extracted_at
FROM workflow_store.workflow_content AS c
