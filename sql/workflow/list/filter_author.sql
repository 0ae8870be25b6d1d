-- Keeps only those of one of these authors. The index holds the first 128 characters; a name that ends there is equal.
-- $1 heads text[], $2 author_names text[]
AND w.workflow_id IN (
    SELECT m.workflow_id
    FROM workflow_store.workflow_metadata AS m
    WHERE
        left(m.author_name, 128) COLLATE "C" = ANY($1::text[])
        AND (length(m.author_name) < 128 OR m.author_name = ANY($2::text[]))
)
