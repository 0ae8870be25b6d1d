-- Orders a listing by extracted_at, ascending, then by id; one index gives this order, absent keys apart.
ORDER BY w.extracted_at ASC, w.workflow_id ASC
