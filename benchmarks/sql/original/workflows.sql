-- Fills the ORM's table with what the store has.
INSERT INTO original.workflows (
    workflow_id, url, extracted_at, updated_at, processing_time, quality_score, layer1_success, layer2_success,
    layer3_success, error_message, retry_count
)
SELECT
    w.workflow_id, w.url, w.extracted_at, w.updated_at, w.processing_time, w.quality_score, w.layer1_success,
    w.layer2_success, w.layer3_success, w.error_message, 0
FROM workflow_store.workflows AS w
