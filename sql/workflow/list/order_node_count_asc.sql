-- Orders a listing by node_count, ascending, then by id; one index gives this order, absent keys apart.
ORDER BY w.node_count ASC, w.workflow_id ASC
