-- Orders a listing by views, ascending, then by id; one index gives this order, absent keys apart.
ORDER BY w.views ASC, w.workflow_id ASC
