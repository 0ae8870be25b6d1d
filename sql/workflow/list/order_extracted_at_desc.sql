-- Orders a listing by extracted_at, descending, then by id; one index gives this order, absent keys apart.
ORDER BY w.extracted_at DESC, w.workflow_id DESC
