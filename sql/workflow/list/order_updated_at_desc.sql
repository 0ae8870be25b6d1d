-- Orders a listing by updated_at, descending, then by id; one index gives this order, absent keys apart.
ORDER BY w.updated_at DESC, w.workflow_id DESC
