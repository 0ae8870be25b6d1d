-- Brings the row of a stored workflow up to a scrape whose parts have been merged; the last statement of a merge.
-- Returns the id and updated_at where anything changed, else no row and the stamps stay. What was not measured
-- (processing_time, quality_score) stays, unless everything is replaced.
-- $1 workflow_id text, $2 url text, $3 extracted_at timestamptz, $4 processing_time float8, $5 quality_score float8,
-- $6 layer1_success bool, $7 layer2_success bool, $8 layer3_success bool, $9 error_message text,
-- $10 transcripts_hash bytea, $11 title_key text, $12 views int8, $13 node_count int8, $14 replace bool,
-- $15 parts_changed bool
UPDATE workflow_store.workflows AS w
SET
    url = $2,
    extracted_at = $3,
    updated_at = greatest(now(), w.updated_at + interval '1 microsecond'),
    processing_time = CASE WHEN $14 THEN $4 ELSE coalesce($4, w.processing_time) END,
    quality_score = CASE WHEN $14 THEN $5 ELSE coalesce($5, w.quality_score) END,
    layer1_success = $6 OR (w.layer1_success AND NOT $14),
    layer2_success = $7 OR (w.layer2_success AND NOT $14),
    layer3_success = $8 OR (w.layer3_success AND NOT $14),
    error_message = $9,
    transcripts_hash = CASE WHEN $14 THEN $10 ELSE coalesce($10, w.transcripts_hash) END,
    title_key = CASE WHEN $6 OR $14 THEN $11 ELSE w.title_key END,
    views = CASE WHEN $6 OR $14 THEN $12 ELSE w.views END,
    node_count = CASE WHEN $7 OR $14 THEN $13 ELSE w.node_count END
WHERE
    w.workflow_id = $1
    AND (
        $15
        OR w.url IS DISTINCT FROM $2
        OR w.error_message IS DISTINCT FROM $9
        OR (($14 OR $5::float8 IS NOT NULL) AND w.quality_score IS DISTINCT FROM $5)
    )
RETURNING
    w.workflow_id,
    w.updated_at
