-- Orders a listing by updated_at, ascending, then by id; one index gives this order, absent keys apart.
ORDER BY w.updated_at ASC, w.workflow_id ASC
