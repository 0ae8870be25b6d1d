-- Keeps only those without videos, whether their content is stored or not.
AND NOT EXISTS (
    SELECT
    FROM workflow_store.workflow_content AS c
    WHERE c.workflow_id = w.workflow_id AND c.has_videos
)
