-- Orders a listing by node_count, descending, then by id; one index gives this order, absent keys apart.
ORDER BY w.node_count DESC, w.workflow_id DESC
