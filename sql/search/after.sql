-- Keeps what comes behind a place in the order of rank, then id.
-- $1 rank float8, $2 workflow_id text
AND (ranked.rank < $1 OR (ranked.rank = $1 AND ranked.workflow_id > $2))
