-- Notes that the workflows were seen by a scrape just now, in the order of their ids so that two writers can't deadlock.
-- $1 workflow_ids text[], $2 urls text[]
INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at)
SELECT
    seen.workflow_id,
    seen.url,
    now()
FROM unnest($1::text[], $2::text[]) AS seen (workflow_id, url)
ORDER BY seen.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET url = excluded.url, last_seen_at = excluded.last_seen_at
