-- Returns those of the given workflows of which the store holds what was given under this hash: nothing of them was
-- changed since.
-- $1 workflow_ids text[], $2 given_hashes text[] (hexadecimal; both behind a SELECT, as in ingest/known)
SELECT r.workflow_id
FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS given (workflow_id, given_hash)
INNER JOIN workflow_store.workflow_scrape AS r
    ON given.workflow_id = r.workflow_id AND decode(given.given_hash, 'hex') = r.given_hash
INNER JOIN workflow_store.workflows AS w ON r.workflow_id = w.workflow_id AND r.given_at = w.updated_at
