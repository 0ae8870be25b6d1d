-- Notes what a scrape brought: that the workflows were seen just now, and of which ones the texts are new, so that their
-- search documents are made anew. Keeps the hash of what was given, with the updated_at that its workflow has since then
-- (null for one that this transaction has inserted). In the order of their ids, so that two writers can't deadlock.
-- $1 workflow_ids text[], $2 urls text[], $3 reworded text[], $4 given_hashes text[] (hexadecimal),
-- $5 given_at text[] (ISO 8601)
WITH marked AS (
    INSERT INTO workflow_store.workflow_search_pending AS p (workflow_id)
    SELECT reworded.workflow_id
    FROM unnest($3::text[]) AS reworded (workflow_id)
    ORDER BY reworded.workflow_id COLLATE "C"
    ON CONFLICT (workflow_id) DO UPDATE SET mark = excluded.mark, marked_at = excluded.marked_at
)

INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at, given_hash, given_at)
SELECT
    seen.workflow_id,
    seen.url,
    now(),
    decode(seen.given_hash, 'hex'),
    coalesce(seen.given_at::timestamptz, now())
FROM
    unnest($1::text[], $2::text[], $4::text[], $5::text[]) AS seen (workflow_id, url, given_hash, given_at)
ORDER BY seen.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET
    url = excluded.url,
    last_seen_at = excluded.last_seen_at,
    given_hash = excluded.given_hash,
    given_at = excluded.given_at
