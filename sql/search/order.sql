-- Orders the page by rank, then id, and closes it.
-- $1 limit int8
    ORDER BY ranked.rank DESC, ranked.workflow_id
    LIMIT $1
)
