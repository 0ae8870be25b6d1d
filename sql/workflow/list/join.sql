-- Keeps the workflows of the page. A sort follows.
INNER JOIN page ON page.workflow_id = w.workflow_id
