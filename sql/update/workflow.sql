-- Sets the named columns of a workflow's row, and updated_at; the first statement of an update, since it locks the
-- workflow. Returns its id, or no row where there is none. A layer's flag is only ever raised.
-- $1 workflow_id text, $2 columns text[], $3 url text, $4 extracted_at timestamptz, $5 processing_time float8,
-- $6 quality_score float8, $7 layer1_success bool, $8 layer2_success bool, $9 layer3_success bool,
-- $10 error_message text, $11 transcripts_hash bytea, $12 title_key text, $13 views int8, $14 node_count int8
UPDATE workflow_store.workflows AS w
SET
    url = CASE WHEN 'url' = ANY ($2) THEN $3 ELSE w.url END,
    extracted_at = CASE WHEN 'extracted_at' = ANY ($2) THEN $4 ELSE w.extracted_at END,
    updated_at = greatest(now(), w.updated_at + interval '1 microsecond'),
    processing_time = CASE WHEN 'processing_time' = ANY ($2) THEN $5 ELSE w.processing_time END,
    quality_score = CASE WHEN 'quality_score' = ANY ($2) THEN $6 ELSE w.quality_score END,
    layer1_success = w.layer1_success OR $7,
    layer2_success = w.layer2_success OR $8,
    layer3_success = w.layer3_success OR $9,
    error_message = CASE WHEN 'error_message' = ANY ($2) THEN $10 ELSE w.error_message END,
    transcripts_hash = CASE WHEN 'transcripts_hash' = ANY ($2) THEN $11 ELSE w.transcripts_hash END,
    title_key = CASE WHEN 'title_key' = ANY ($2) THEN $12 ELSE w.title_key END,
    views = CASE WHEN 'views' = ANY ($2) THEN $13 ELSE w.views END,
    node_count = CASE WHEN 'node_count' = ANY ($2) THEN $14 ELSE w.node_count END
WHERE w.workflow_id = $1
RETURNING w.workflow_id
