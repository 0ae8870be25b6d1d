-- Returns, for each of the given workflows that is stored, what ingest/known returns of it and how many seconds ago its
-- row was last changed, by the server's clock: whether a write whose answer was lost is there is told from that.
-- $1 workflow_ids text[] (behind a SELECT, as in ingest/known)
SELECT
    w.workflow_id,
    w.url,
    w.error_message,
    w.quality_score,
    w.layer1_success AS has_metadata,
    w.layer2_success AS has_structure,
    w.layer3_success AS has_content,
    m.content_hash AS metadata_hash,
    s.content_hash AS structure_hash,
    c.content_hash AS content_hash,
    w.transcripts_hash,
    w.updated_at,
    NULL::integer AS retry_count,
    extract(EPOCH FROM clock_timestamp() - w.updated_at)::double precision AS age
FROM unnest((SELECT $1::text[])) AS given (workflow_id)
INNER JOIN workflow_store.workflows AS w ON given.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_structure AS s ON s.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_content AS c ON c.workflow_id = w.workflow_id
