-- Deletes the records in quarantine that were last seen so long ago; returns how many there were.
-- $1 source text: how theirs begins, $2 age float8: seconds
WITH gone AS (
    DELETE FROM workflow_store.ingest_quarantine AS q
    WHERE starts_with(q.source, $1) AND q.last_seen_at <= now() - make_interval(secs => $2)
    RETURNING q.record_hash
)

SELECT count(*) AS total
FROM gone
