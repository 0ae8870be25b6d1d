-- Makes the stored content the given one; returns true where that changed anything.
-- The parent's row is locked by then, so the comparison stands. Where only the spelling of the JSON differs, the hash
-- is refreshed and nothing else. (jsonb is compared as text: 1.0 equals 1.00 as jsonb, but a digit would be lost.)
-- $1 workflow_id text, $2 explainer_text text, $3 explainer_html text, $4 setup_instructions text,
-- $5 use_instructions text, $6 has_videos bool, $7 video_count int8, $8 has_iframes bool, $9 iframe_count int8,
-- $10 raw_content jsonb, $11 extracted_at timestamptz, $12 content_hash bytea
WITH stored AS (
    SELECT
        c.content_hash,
        coalesce(c.content_hash = $12, false) OR (
            c.explainer_text IS NOT DISTINCT FROM $2
            AND c.explainer_html IS NOT DISTINCT FROM $3
            AND c.setup_instructions IS NOT DISTINCT FROM $4
            AND c.use_instructions IS NOT DISTINCT FROM $5
            AND c.has_videos IS NOT DISTINCT FROM $6
            AND c.video_count IS NOT DISTINCT FROM $7
            AND c.has_iframes IS NOT DISTINCT FROM $8
            AND c.iframe_count IS NOT DISTINCT FROM $9
            AND c.raw_content::text IS NOT DISTINCT FROM $10::jsonb::text
        ) AS same
    FROM workflow_store.workflow_content AS c
    WHERE c.workflow_id = $1
),

refreshed AS (
    UPDATE workflow_store.workflow_content AS c SET content_hash = $12
    FROM stored
    WHERE c.workflow_id = $1 AND stored.same AND stored.content_hash IS DISTINCT FROM $12
),

written AS (
    INSERT INTO workflow_store.workflow_content AS c (
        workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos, video_count,
        has_iframes, iframe_count, raw_content, extracted_at, content_hash
    )
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
    WHERE NOT EXISTS (SELECT FROM stored WHERE stored.same)
    ON CONFLICT (workflow_id) DO UPDATE SET
        explainer_text = excluded.explainer_text,
        explainer_html = excluded.explainer_html,
        setup_instructions = excluded.setup_instructions,
        use_instructions = excluded.use_instructions,
        has_videos = excluded.has_videos,
        video_count = excluded.video_count,
        has_iframes = excluded.has_iframes,
        iframe_count = excluded.iframe_count,
        raw_content = excluded.raw_content,
        extracted_at = excluded.extracted_at,
        content_hash = excluded.content_hash
)

SELECT NOT EXISTS (SELECT FROM stored WHERE stored.same) AS changed
