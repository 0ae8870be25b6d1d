-- Keeps only those whose content has videos.
AND w.workflow_id IN (
    SELECT c.workflow_id
    FROM workflow_store.workflow_content AS c
    WHERE c.has_videos
)
