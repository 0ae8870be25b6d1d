-- Stores a workflow that is not there yet, with all its parts; returns its id, or no row where one is stored.
-- $1 workflow_id text, $2 url text, $3 extracted_at timestamptz, $4 processing_time float8, $5 quality_score float8,
-- $6 layer1_success bool, $7 layer2_success bool, $8 layer3_success bool, $9 error_message text,
-- $10 transcripts_hash bytea, $11 title_key text, $12 views int8, $13 node_count int8, $14 title text,
-- $15 description text, $16 use_case text, $17 author_name text, $18 author_url text, $19 views int8,
-- $20 shares int8, $21 categories jsonb, $22 tags jsonb, $23 workflow_created_at timestamptz,
-- $24 workflow_updated_at timestamptz, $25 raw_metadata jsonb, $26 metadata_extracted_at timestamptz,
-- $27 metadata_hash bytea, $28 node_count int8, $29 connection_count int8, $30 node_types jsonb,
-- $31 extraction_type text, $32 fallback_used bool, $33 workflow_json jsonb, $34 structure_extracted_at timestamptz,
-- $35 structure_hash bytea, $36 explainer_text text, $37 explainer_html text, $38 setup_instructions text,
-- $39 use_instructions text, $40 has_videos bool, $41 video_count int8, $42 has_iframes bool, $43 iframe_count int8,
-- $44 raw_content jsonb, $45 content_extracted_at timestamptz, $46 content_hash bytea, $47 video_urls text[],
-- $48 video_ids text[], $49 platforms text[], $50 texts text[], $51 documents jsonb[], $52 durations float8[],
-- $53 languages text[], $54 transcripts_extracted_at timestamptz[], $55 retry_count int8
WITH created AS (
    INSERT INTO workflow_store.workflows AS w (
        workflow_id, url, extracted_at, processing_time, quality_score, layer1_success, layer2_success,
        layer3_success, error_message, transcripts_hash, title_key, views, node_count
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (workflow_id) DO NOTHING
    RETURNING w.workflow_id, w.url
),

metadata AS (
    INSERT INTO workflow_store.workflow_metadata (
        workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
        workflow_created_at, workflow_updated_at, raw_metadata, extracted_at, content_hash
    )
    SELECT
        created.workflow_id, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27
    FROM created
    WHERE $6
),

structure AS (
    INSERT INTO workflow_store.workflow_structure (
        workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json,
        extracted_at, content_hash
    )
    SELECT
        created.workflow_id, $28, $29, $30, $31, $32, $33, $34, $35
    FROM created
    WHERE $7
),

content AS (
    INSERT INTO workflow_store.workflow_content (
        workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos, video_count,
        has_iframes, iframe_count, raw_content, extracted_at, content_hash
    )
    SELECT
        created.workflow_id, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46
    FROM created
    WHERE $8
),

transcripts AS (
    INSERT INTO workflow_store.video_transcripts (
        workflow_id, position, video_url, video_id, platform, transcript_text, transcript_json, duration, language,
        extracted_at
    )
    SELECT
        created.workflow_id, t.ordinal - 1, t.video_url, t.video_id, t.platform, t.transcript_text,
        t.transcript_json, t.duration, t.language, t.extracted_at
    FROM
        created,
        unnest(
            $47::text[], $48::text[], $49::text[], $50::text[], $51::jsonb[], $52::float8[], $53::text[],
            $54::timestamptz[]
        ) WITH ORDINALITY AS t (
            video_url, video_id, platform, transcript_text, transcript_json, duration, language, extracted_at, ordinal
        )
),

seen AS (
    INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at, retry_count)
    SELECT created.workflow_id, created.url, now(), coalesce($55::int8, 0) FROM created
    ON CONFLICT (workflow_id) DO UPDATE SET
        url = excluded.url,
        last_seen_at = excluded.last_seen_at,
        retry_count = coalesce($55, r.retry_count),
        given_hash = NULL
),

marked AS (
    INSERT INTO workflow_store.workflow_search_pending AS p (workflow_id)
    SELECT created.workflow_id FROM created
    ON CONFLICT (workflow_id) DO UPDATE SET mark = excluded.mark, marked_at = excluded.marked_at
)

SELECT created.workflow_id FROM created
