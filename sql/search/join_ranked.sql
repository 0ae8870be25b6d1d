-- Joins a listing with the page of a ranked search, and the texts that are highlighted.
CROSS JOIN asked
INNER JOIN page ON page.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_metadata AS h ON h.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_content AS e ON e.workflow_id = w.workflow_id
