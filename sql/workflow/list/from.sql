-- Says where a listing's columns come from: the workflows, with the parts that are asked for.
-- $1 metadata bool, $2 structure bool, $3 content bool
FROM workflow_store.workflows AS w
LEFT JOIN workflow_store.workflow_scrape AS r ON r.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id AND $1
LEFT JOIN workflow_store.workflow_structure AS s ON s.workflow_id = w.workflow_id AND $2
LEFT JOIN workflow_store.workflow_content AS c ON c.workflow_id = w.workflow_id AND $3
