-- Notes that those of the given workflows were seen just now of which the store holds what was given under this hash,
-- and returns their ids: those that ingest/recognised returns. In the order of their ids, so that two writers can't
-- deadlock.
-- $1 workflow_ids text[], $2 given_hashes text[] (hexadecimal; both behind a SELECT, as in ingest/known)
INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at)
SELECT
    w.workflow_id,
    w.url,
    now()
FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS given (workflow_id, given_hash)
INNER JOIN workflow_store.workflow_scrape AS g
    ON given.workflow_id = g.workflow_id AND decode(given.given_hash, 'hex') = g.given_hash
INNER JOIN workflow_store.workflows AS w ON g.workflow_id = w.workflow_id AND g.given_at = w.updated_at
LEFT JOIN workflow_store.workflow_metadata AS m ON w.workflow_id = m.workflow_id
LEFT JOIN workflow_store.workflow_structure AS s ON w.workflow_id = s.workflow_id
LEFT JOIN workflow_store.workflow_content AS c ON w.workflow_id = c.workflow_id
WHERE
    (NOT w.layer1_success OR m.content_hash IS NOT NULL)
    AND (NOT w.layer2_success OR s.content_hash IS NOT NULL)
    AND (NOT w.layer3_success OR c.content_hash IS NOT NULL)
ORDER BY w.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET url = excluded.url, last_seen_at = excluded.last_seen_at
RETURNING r.workflow_id
