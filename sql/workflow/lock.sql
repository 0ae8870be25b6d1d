-- Inserts the workflow's row or, where it is stored, locks it unchanged; the first statement of every merge.
-- Returns the id where it was inserted, else no row. (ON CONFLICT DO UPDATE locks even where its WHERE is false.)
-- $1 workflow_id text, $2 url text, $3 extracted_at timestamptz, $4 processing_time float8, $5 quality_score float8,
-- $6 layer1_success bool, $7 layer2_success bool, $8 layer3_success bool, $9 error_message text,
-- $10 transcripts_hash bytea, $11 title_key text, $12 views int8, $13 node_count int8
INSERT INTO workflow_store.workflows AS w (
    workflow_id, url, extracted_at, processing_time, quality_score, layer1_success, layer2_success, layer3_success,
    error_message, transcripts_hash, title_key, views, node_count
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (workflow_id) DO UPDATE SET url = w.url WHERE false
RETURNING w.workflow_id
