-- Orders a listing by title, ascending, then by id; one index gives this order, absent keys apart.
ORDER BY w.title_key ASC, w.workflow_id ASC
