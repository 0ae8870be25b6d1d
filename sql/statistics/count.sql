-- Returns one row about all workflows: rates in percent, times in seconds, sizes in bytes, percentiles of 50, 90, 99 %.
-- Each jsonb column is a list of pairs, a name with its count, or NULL; node_types only where details are asked for. A
-- workflow that lists a name more than once counts once.
-- $1 top int8, $2 detailed bool
WITH totals AS (
    SELECT
        count(*) AS total_workflows,
        count(*) FILTER (WHERE w.layer1_success) AS layer1,
        count(*) FILTER (WHERE w.layer2_success) AS layer2,
        count(*) FILTER (WHERE w.layer3_success) AS layer3,
        avg(w.quality_score) AS avg_quality_score,
        avg(w.processing_time) AS avg_processing_time,
        percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY w.quality_score) AS quality_percentiles,
        percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY w.processing_time) AS time_percentiles
    FROM workflow_store.workflows AS w
),

-- The wide tables are read once, whatever is counted of them.
metadata AS MATERIALIZED (
    SELECT
        left(m.author_name, 200) AS author,
        m.categories,
        count(*) AS number
    FROM workflow_store.workflow_metadata AS m
    GROUP BY GROUPING SETS ((left(m.author_name, 200)), (m.categories))
),

transcripts AS MATERIALIZED (
    SELECT
        left(t.platform, 200) AS platform,
        left(t.language, 200) AS language,
        count(*) AS number
    FROM workflow_store.video_transcripts AS t
    GROUP BY GROUPING SETS ((left(t.platform, 200)), (left(t.language, 200)))
),

categories AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            listed.name COLLATE "C" AS name,
            sum(metadata.number) AS number
        FROM metadata
        CROSS JOIN LATERAL (
            SELECT DISTINCT left(entry.name, 200) AS name
            FROM jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(metadata.categories) = 'array' THEN metadata.categories END
            ) AS entry (name)
        ) AS listed
        GROUP BY 1
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

authors AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            metadata.author COLLATE "C" AS name,
            metadata.number
        FROM metadata
        WHERE metadata.author IS NOT NULL
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

node_types AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            listed.name COLLATE "C" AS name,
            count(*) AS number
        FROM workflow_store.workflow_structure AS s
        CROSS JOIN LATERAL (
            SELECT DISTINCT left(entry.name, 200) AS name
            FROM jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(s.node_types) = 'array' THEN s.node_types END
            ) AS entry (name)
        ) AS listed
        WHERE $2
        GROUP BY 1
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

extraction_types AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            left(s.extraction_type, 200) COLLATE "C" AS name,
            count(*) AS number
        FROM workflow_store.workflow_structure AS s
        WHERE s.extraction_type IS NOT NULL
        GROUP BY 1
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

platforms AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            transcripts.platform COLLATE "C" AS name,
            transcripts.number
        FROM transcripts
        WHERE transcripts.platform IS NOT NULL
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

languages AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            transcripts.language COLLATE "C" AS name,
            transcripts.number
        FROM transcripts
        WHERE transcripts.language IS NOT NULL
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

errors AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.number DESC, n.name) AS pairs
    FROM (
        SELECT
            left(regexp_replace(left(w.error_message, 400), '[0-9]+', '0', 'g'), 80) COLLATE "C" AS name,
            count(*) AS number
        FROM workflow_store.workflows AS w
        WHERE w.error_message IS NOT NULL
        GROUP BY 1
        ORDER BY 2 DESC, 1
        LIMIT $1
    ) AS n
),

days AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.number) ORDER BY n.name) AS pairs
    FROM (
        SELECT
            ((w.extracted_at AT TIME ZONE 'UTC')::date)::text AS name,
            count(*) AS number
        FROM workflow_store.workflows AS w
        WHERE w.extracted_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '29 days'
        GROUP BY 1
    ) AS n
),

storage AS (
    SELECT jsonb_agg(jsonb_build_array(n.name, n.size) ORDER BY n.size DESC, n.name) AS pairs
    FROM (
        SELECT
            c.relname::text COLLATE "C" AS name,
            pg_catalog.pg_total_relation_size(c.oid) AS size
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
        WHERE s.nspname = 'workflow_store' AND c.relkind IN ('r', 'p') AND c.relname !~ '^_?yoyo_'
    ) AS n
)

SELECT
    totals.total_workflows,
    totals.layer1 AS layer1_success_count,
    totals.layer2 AS layer2_success_count,
    totals.layer3 AS layer3_success_count,
    coalesce(100.0 * totals.layer1 / nullif(totals.total_workflows, 0), 0)::float8 AS layer1_success_rate,
    coalesce(100.0 * totals.layer2 / nullif(totals.total_workflows, 0), 0)::float8 AS layer2_success_rate,
    coalesce(100.0 * totals.layer3 / nullif(totals.total_workflows, 0), 0)::float8 AS layer3_success_rate,
    totals.avg_quality_score,
    totals.avg_processing_time,
    totals.quality_percentiles,
    totals.time_percentiles,
    categories.pairs AS categories,
    authors.pairs AS authors,
    platforms.pairs AS platforms,
    languages.pairs AS languages,
    extraction_types.pairs AS extraction_types,
    errors.pairs AS errors,
    days.pairs AS scrapes_by_day,
    storage.pairs AS storage,
    CASE WHEN $2 THEN coalesce(node_types.pairs, '[]') END AS node_types
FROM totals
CROSS JOIN categories
CROSS JOIN authors
CROSS JOIN platforms
CROSS JOIN languages
CROSS JOIN extraction_types
CROSS JOIN errors
CROSS JOIN days
CROSS JOIN storage
CROSS JOIN node_types
