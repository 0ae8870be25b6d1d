-- Notes what a scrape brought: that the workflows were seen just now, and of which ones the texts are new, so that their
-- search documents are made anew. In the order of their ids, so that two writers can't deadlock.
-- $1 workflow_ids text[], $2 urls text[], $3 reworded text[]
WITH marked AS (
    INSERT INTO workflow_store.workflow_search_pending AS p (workflow_id)
    SELECT reworded.workflow_id
    FROM unnest($3::text[]) AS reworded (workflow_id)
    ORDER BY reworded.workflow_id COLLATE "C"
    ON CONFLICT (workflow_id) DO UPDATE SET mark = excluded.mark, marked_at = excluded.marked_at
)

INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at)
SELECT
    seen.workflow_id,
    seen.url,
    now()
FROM unnest($1::text[], $2::text[]) AS seen (workflow_id, url)
ORDER BY seen.workflow_id COLLATE "C"
ON CONFLICT (workflow_id) DO UPDATE SET url = excluded.url, last_seen_at = excluded.last_seen_at
