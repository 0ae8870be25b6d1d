-- Returns every media file that a workflow links to, once: its hash and its size in bytes.
SELECT DISTINCT m.sha256, m.size
FROM workflow_store.workflow_media AS m
ORDER BY m.sha256
