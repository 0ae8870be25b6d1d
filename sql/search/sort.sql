-- Gives the hits in the order of their rank, then id.
ORDER BY page.rank DESC, page.workflow_id
