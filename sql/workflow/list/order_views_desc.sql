-- Orders a listing by views, descending, then by id; one index gives this order, absent keys apart.
ORDER BY w.views DESC, w.workflow_id DESC
