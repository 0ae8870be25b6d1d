-- Joins a listing with the page of a search.
INNER JOIN page ON page.workflow_id = w.workflow_id
