-- Notes that those of the given workflows were seen just now of which the store holds what was given under this hash,
-- and returns their ids: nothing of them was changed since. In the order of their ids, so that two writers can't
-- deadlock.
-- $1 workflow_ids text[], $2 given_hashes text[] (hexadecimal; both behind a SELECT, as in ingest/known)
INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at)
SELECT
    s.workflow_id,
    w.url,
    now()
FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS given (workflow_id, given_hash)
INNER JOIN workflow_store.workflow_scrape AS s
    ON given.workflow_id = s.workflow_id AND decode(given.given_hash, 'hex') = s.given_hash
INNER JOIN workflow_store.workflows AS w ON s.workflow_id = w.workflow_id AND s.given_at = w.updated_at
ORDER BY s.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET url = excluded.url, last_seen_at = excluded.last_seen_at
RETURNING r.workflow_id
