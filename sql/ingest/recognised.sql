-- Returns those of the given workflows of which the store holds what was given under this hash: nothing of them was
-- changed since, and each part is there (whoever took one out by hand did not move updated_at). Where that is wanted,
-- notes that they were seen just now, in the order of their ids, so that two writers can't deadlock.
-- $1 workflow_ids text[], $2 given_hashes text[] (hexadecimal; both behind a SELECT, as in ingest/known), $3 touch bool
WITH same AS (
    SELECT
        w.workflow_id,
        w.url
    FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) AS given (workflow_id, given_hash)
    INNER JOIN workflow_store.workflow_scrape AS r
        ON given.workflow_id = r.workflow_id AND decode(given.given_hash, 'hex') = r.given_hash
    INNER JOIN workflow_store.workflows AS w ON r.workflow_id = w.workflow_id AND r.given_at = w.updated_at
    LEFT JOIN workflow_store.workflow_metadata AS m ON w.workflow_id = m.workflow_id
    LEFT JOIN workflow_store.workflow_structure AS s ON w.workflow_id = s.workflow_id
    LEFT JOIN workflow_store.workflow_content AS c ON w.workflow_id = c.workflow_id
    WHERE
        (NOT w.layer1_success OR m.content_hash IS NOT NULL)
        AND (NOT w.layer2_success OR s.content_hash IS NOT NULL)
        AND (NOT w.layer3_success OR c.content_hash IS NOT NULL)
),

seen AS (
    INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at)
    SELECT
        same.workflow_id,
        same.url,
        now()
    FROM same
    WHERE $3
    ORDER BY same.workflow_id COLLATE "C"
    ON CONFLICT (workflow_id) DO UPDATE SET url = excluded.url, last_seen_at = excluded.last_seen_at
)

SELECT same.workflow_id FROM same
