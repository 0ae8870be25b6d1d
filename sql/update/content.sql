-- Sets the named columns of a workflow's content; where none is stored it is created, the other columns empty.
-- The parent's row is locked by then. The hash becomes unknown: what the scraper would spell is not known here.
-- $1 workflow_id text, $2 columns text[], $3 explainer_text text, $4 explainer_html text, $5 setup_instructions text,
-- $6 use_instructions text, $7 has_videos bool, $8 video_count int8, $9 has_iframes bool, $10 iframe_count int8,
-- $11 raw_content jsonb, $12 extracted_at timestamptz
INSERT INTO workflow_store.workflow_content AS c (
    workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos, video_count,
    has_iframes, iframe_count, raw_content, extracted_at, content_hash
)
VALUES ($1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL)
ON CONFLICT (workflow_id) DO UPDATE SET
    explainer_text = CASE WHEN 'explainer_text' = ANY ($2) THEN excluded.explainer_text ELSE c.explainer_text END,
    explainer_html = CASE WHEN 'explainer_html' = ANY ($2) THEN excluded.explainer_html ELSE c.explainer_html END,
    setup_instructions = CASE
        WHEN 'setup_instructions' = ANY ($2) THEN excluded.setup_instructions
        ELSE c.setup_instructions
    END,
    use_instructions = CASE
        WHEN 'use_instructions' = ANY ($2) THEN excluded.use_instructions
        ELSE c.use_instructions
    END,
    has_videos = CASE WHEN 'has_videos' = ANY ($2) THEN excluded.has_videos ELSE c.has_videos END,
    video_count = CASE WHEN 'video_count' = ANY ($2) THEN excluded.video_count ELSE c.video_count END,
    has_iframes = CASE WHEN 'has_iframes' = ANY ($2) THEN excluded.has_iframes ELSE c.has_iframes END,
    iframe_count = CASE WHEN 'iframe_count' = ANY ($2) THEN excluded.iframe_count ELSE c.iframe_count END,
    raw_content = CASE WHEN 'raw_content' = ANY ($2) THEN excluded.raw_content ELSE c.raw_content END,
    extracted_at = CASE WHEN 'extracted_at' = ANY ($2) THEN excluded.extracted_at ELSE c.extracted_at END,
    content_hash = NULL
