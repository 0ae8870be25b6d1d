-- Makes the stored metadata the given one; returns whether that changed anything, and whether it changed a text that
-- search looks into: views change at each scrape, and must not cost a new search document.
-- The parent's row is locked by then, so the comparison stands. Where only the spelling of the JSON differs, the hash
-- is refreshed and nothing else. (jsonb is compared as text: 1.0 equals 1.00 as jsonb, but a digit would be lost.)
-- Where no text changed, those columns are not named by the UPDATE: their tsvector would be made anew.
-- $1 workflow_id text, $2 title text, $3 description text, $4 use_case text, $5 author_name text, $6 author_url text,
-- $7 views int8, $8 shares int8, $9 categories jsonb, $10 tags jsonb, $11 workflow_created_at timestamptz,
-- $12 workflow_updated_at timestamptz, $13 raw_metadata jsonb, $14 extracted_at timestamptz, $15 content_hash bytea
WITH stored AS (
    SELECT
        m.content_hash,
        coalesce(m.content_hash = $15, false) OR (
            m.title IS NOT DISTINCT FROM $2
            AND m.description IS NOT DISTINCT FROM $3
            AND m.use_case IS NOT DISTINCT FROM $4
            AND m.author_name IS NOT DISTINCT FROM $5
            AND m.author_url IS NOT DISTINCT FROM $6
            AND m.views IS NOT DISTINCT FROM $7
            AND m.shares IS NOT DISTINCT FROM $8
            AND m.workflow_created_at IS NOT DISTINCT FROM $11
            AND m.workflow_updated_at IS NOT DISTINCT FROM $12
            AND m.categories::text IS NOT DISTINCT FROM $9::jsonb::text
            AND m.tags::text IS NOT DISTINCT FROM $10::jsonb::text
            AND m.raw_metadata::text IS NOT DISTINCT FROM $13::jsonb::text
        ) AS same,
        m.title IS NOT DISTINCT FROM $2
        AND m.description IS NOT DISTINCT FROM $3
        AND m.use_case IS NOT DISTINCT FROM $4
        AND m.categories IS NOT DISTINCT FROM $9
        AND m.tags IS NOT DISTINCT FROM $10 AS reads_same
    FROM workflow_store.workflow_metadata AS m
    WHERE m.workflow_id = $1
),

refreshed AS (
    UPDATE workflow_store.workflow_metadata AS m SET content_hash = $15
    FROM stored
    WHERE m.workflow_id = $1 AND stored.same AND stored.content_hash IS DISTINCT FROM $15
),

recounted AS (
    UPDATE workflow_store.workflow_metadata AS m
    SET
        author_name = $5,
        author_url = $6,
        views = $7,
        shares = $8,
        workflow_created_at = $11,
        workflow_updated_at = $12,
        raw_metadata = $13,
        extracted_at = $14,
        content_hash = $15
    FROM stored
    WHERE m.workflow_id = $1 AND stored.reads_same AND NOT stored.same
),

written AS (
    INSERT INTO workflow_store.workflow_metadata AS m (
        workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
        workflow_created_at, workflow_updated_at, raw_metadata, extracted_at, content_hash
    )
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
    WHERE NOT EXISTS (SELECT FROM stored WHERE stored.same OR stored.reads_same)
    ON CONFLICT (workflow_id) DO UPDATE SET
        title = excluded.title,
        description = excluded.description,
        use_case = excluded.use_case,
        author_name = excluded.author_name,
        author_url = excluded.author_url,
        views = excluded.views,
        shares = excluded.shares,
        categories = excluded.categories,
        tags = excluded.tags,
        workflow_created_at = excluded.workflow_created_at,
        workflow_updated_at = excluded.workflow_updated_at,
        raw_metadata = excluded.raw_metadata,
        extracted_at = excluded.extracted_at,
        content_hash = excluded.content_hash
)

SELECT
    NOT EXISTS (SELECT FROM stored WHERE stored.same) AS changed,
    NOT EXISTS (SELECT FROM stored WHERE stored.reads_same) AS changed_text
