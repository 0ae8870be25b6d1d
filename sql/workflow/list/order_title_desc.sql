-- Orders a listing by title, descending, then by id; one index gives this order, absent keys apart.
ORDER BY w.title_key DESC, w.workflow_id DESC
