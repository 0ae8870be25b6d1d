-- Returns those of the given workflows that are stored, in no order, with the parts that are asked for.
-- $1 workflow_ids text[], $2 metadata bool, $3 structure bool, $4 content bool, $5 transcripts bool
SELECT
    w.workflow_id,
    w.url,
    w.extracted_at,
    w.updated_at,
    w.processing_time,
    w.quality_score,
    w.layer1_success,
    w.layer2_success,
    w.layer3_success,
    w.error_message,
    w.transcripts_hash,
    w.title_key,
    w.views AS views_key,
    w.node_count AS node_count_key,
    coalesce(r.retry_count, 0) AS retry_count,
    m.workflow_id IS NOT NULL AS has_metadata,
    m.title,
    m.description,
    m.use_case,
    m.author_name,
    m.author_url,
    m.views,
    m.shares,
    m.categories,
    m.tags,
    m.workflow_created_at,
    m.workflow_updated_at,
    m.raw_metadata,
    m.extracted_at AS metadata_extracted_at,
    s.workflow_id IS NOT NULL AS has_structure,
    s.node_count,
    s.connection_count,
    s.node_types,
    s.extraction_type,
    s.fallback_used,
    s.workflow_json,
    s.extracted_at AS structure_extracted_at,
    c.workflow_id IS NOT NULL AS has_content,
    c.explainer_text,
    c.explainer_html,
    c.setup_instructions,
    c.use_instructions,
    c.has_videos,
    c.video_count,
    c.has_iframes,
    c.iframe_count,
    c.raw_content,
    c.extracted_at AS content_extracted_at,
    t.transcripts
FROM workflow_store.workflows AS w
LEFT JOIN workflow_store.workflow_scrape AS r ON r.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id AND $2
LEFT JOIN workflow_store.workflow_structure AS s ON s.workflow_id = w.workflow_id AND $3
LEFT JOIN workflow_store.workflow_content AS c ON c.workflow_id = w.workflow_id AND $4
LEFT JOIN (
    SELECT
        v.workflow_id,
        array_agg(
            ROW(
                v.video_url, v.video_id, v.platform, v.transcript_text, v.transcript_json, v.duration, v.language,
                v.extracted_at
            )
            ORDER BY v.position
        ) AS transcripts
    FROM workflow_store.video_transcripts AS v
    WHERE v.workflow_id = ANY ($1) AND $5
    GROUP BY v.workflow_id
) AS t ON t.workflow_id = w.workflow_id
WHERE w.workflow_id = ANY ($1)
