-- Returns, for each table, its rows and a digest of their contents that does not depend on their order: a fingerprint by
-- which a copy is told to be equal. The session's output settings must be those of backup/output.
SELECT
    'workflows' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflows AS t
UNION ALL
SELECT
    'workflow_metadata' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_metadata AS t
UNION ALL
SELECT
    'workflow_structure' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_structure AS t
UNION ALL
SELECT
    'workflow_content' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_content AS t
UNION ALL
SELECT
    'video_transcripts' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.video_transcripts AS t
UNION ALL
SELECT
    'workflow_scrape' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_scrape AS t
UNION ALL
SELECT
    'ingest_quarantine' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.ingest_quarantine AS t
UNION ALL
SELECT
    'workflow_media' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_media AS t
UNION ALL
SELECT
    'workflow_search' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_search AS t
UNION ALL
SELECT
    'workflow_search_pending' AS name,
    count(*) AS rows,
    coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text AS digest
FROM workflow_store.workflow_search_pending AS t
