-- Puts workflows into the queue that are not in it; returns the ids of those. One that was scraped before goes in again
-- only where that is asked for. All of them are locked, in the order of their ids, so that two writers can't deadlock.
-- $1 workflow_ids text[], $2 urls text[], $3 due_at timestamptz, $4 scraped_too bool
INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, due_at)
SELECT
    wanted.workflow_id,
    wanted.url,
    coalesce($3, now())
FROM unnest($1::text[], $2::text[]) AS wanted (workflow_id, url)
ORDER BY wanted.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET url = excluded.url, due_at = excluded.due_at
WHERE r.due_at IS NULL AND ($4 OR r.last_seen_at IS NULL)
RETURNING r.workflow_id
