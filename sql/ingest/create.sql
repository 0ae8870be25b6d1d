-- Stores workflows that are not there yet, with all their parts, in one statement: what COPY does for a batch, where so few
-- are written that their turns to the server and back would cost more. Returns nothing; one that is stored is an error.
-- Two writers can't deadlock: the rows of workflows come first, for they are counted before any others are made, and each
-- table's rows come in the order of the ids.
-- An array is a column: of the workflows, of their metadata, structures, contents and transcripts, each with the ids of its
-- own, and the last two of the workflows again.
-- $1 workflow_id text[], $2 url text[], $3 extracted_at timestamptz[], $4 processing_time float8[],
-- $5 quality_score float8[], $6 layer1_success bool[], $7 layer2_success bool[], $8 layer3_success bool[],
-- $9 error_message text[], $10 transcripts_hash bytea[], $11 title_key text[], $12 views int8[],
-- $13 node_count int8[], $14 workflow_id text[], $15 title text[], $16 description text[], $17 use_case text[],
-- $18 author_name text[], $19 author_url text[], $20 views int8[], $21 shares int8[], $22 categories jsonb[],
-- $23 tags jsonb[], $24 workflow_created_at timestamptz[], $25 workflow_updated_at timestamptz[],
-- $26 raw_metadata jsonb[], $27 extracted_at timestamptz[], $28 content_hash bytea[], $29 workflow_id text[],
-- $30 node_count int8[], $31 connection_count int8[], $32 node_types jsonb[], $33 extraction_type text[],
-- $34 fallback_used bool[], $35 workflow_json jsonb[], $36 extracted_at timestamptz[], $37 content_hash bytea[],
-- $38 workflow_id text[], $39 explainer_text text[], $40 explainer_html text[], $41 setup_instructions text[],
-- $42 use_instructions text[], $43 has_videos bool[], $44 video_count int8[], $45 has_iframes bool[],
-- $46 iframe_count int8[], $47 raw_content jsonb[], $48 extracted_at timestamptz[], $49 content_hash bytea[],
-- $50 workflow_id text[], $51 position int8[], $52 video_url text[], $53 video_id text[], $54 platform text[],
-- $55 transcript_text text[], $56 transcript_json jsonb[], $57 duration float8[], $58 language text[],
-- $59 extracted_at timestamptz[], $60 retry_counts int8[], $61 given_hashes text[] (hexadecimal)
WITH created AS (
    INSERT INTO workflow_store.workflows (
        workflow_id, url, extracted_at, processing_time, quality_score, layer1_success, layer2_success,
        layer3_success, error_message, transcripts_hash, title_key, views, node_count
    )
    SELECT
        workflow_id, url, extracted_at, processing_time, quality_score, layer1_success, layer2_success,
        layer3_success, error_message, transcripts_hash, title_key, views, node_count
    FROM
        unnest(
            $1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[], $6::bool[], $7::bool[],
            $8::bool[], $9::text[], $10::bytea[], $11::text[], $12::int8[], $13::int8[]
        ) AS given (
            workflow_id, url, extracted_at, processing_time, quality_score, layer1_success, layer2_success,
            layer3_success, error_message, transcripts_hash, title_key, views, node_count
        )
    RETURNING workflow_id
),

metadata AS (
    INSERT INTO workflow_store.workflow_metadata (
        workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
        workflow_created_at, workflow_updated_at, raw_metadata, extracted_at, content_hash
    )
    SELECT
        workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
        workflow_created_at, workflow_updated_at, raw_metadata, extracted_at, content_hash
    FROM
        unnest(
            $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::int8[], $21::int8[],
            $22::jsonb[], $23::jsonb[], $24::timestamptz[], $25::timestamptz[], $26::jsonb[], $27::timestamptz[],
            $28::bytea[]
        ) AS given (
            workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
            workflow_created_at, workflow_updated_at, raw_metadata, extracted_at, content_hash
        )
    WHERE (SELECT count(*) FROM created) > 0
),

structure AS (
    INSERT INTO workflow_store.workflow_structure (
        workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json,
        extracted_at, content_hash
    )
    SELECT
        workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json,
        extracted_at, content_hash
    FROM
        unnest(
            $29::text[], $30::int8[], $31::int8[], $32::jsonb[], $33::text[], $34::bool[], $35::jsonb[],
            $36::timestamptz[], $37::bytea[]
        ) AS given (
            workflow_id, node_count, connection_count, node_types, extraction_type, fallback_used, workflow_json,
            extracted_at, content_hash
        )
    WHERE (SELECT count(*) FROM created) > 0
),

content AS (
    INSERT INTO workflow_store.workflow_content (
        workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos, video_count,
        has_iframes, iframe_count, raw_content, extracted_at, content_hash
    )
    SELECT
        workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos, video_count,
        has_iframes, iframe_count, raw_content, extracted_at, content_hash
    FROM
        unnest(
            $38::text[], $39::text[], $40::text[], $41::text[], $42::text[], $43::bool[], $44::int8[], $45::bool[],
            $46::int8[], $47::jsonb[], $48::timestamptz[], $49::bytea[]
        ) AS given (
            workflow_id, explainer_text, explainer_html, setup_instructions, use_instructions, has_videos,
            video_count, has_iframes, iframe_count, raw_content, extracted_at, content_hash
        )
    WHERE (SELECT count(*) FROM created) > 0
),

transcripts AS (
    INSERT INTO workflow_store.video_transcripts (
        workflow_id, position, video_url, video_id, platform, transcript_text, transcript_json, duration, language,
        extracted_at
    )
    SELECT
        workflow_id, position, video_url, video_id, platform, transcript_text, transcript_json, duration, language,
        extracted_at
    FROM
        unnest(
            $50::text[], $51::int8[], $52::text[], $53::text[], $54::text[], $55::text[], $56::jsonb[],
            $57::float8[], $58::text[], $59::timestamptz[]
        ) AS given (
            workflow_id, position, video_url, video_id, platform, transcript_text, transcript_json, duration,
            language, extracted_at
        )
    WHERE (SELECT count(*) FROM created) > 0
),

marked AS (
    INSERT INTO workflow_store.workflow_search_pending AS p (workflow_id)
    SELECT created.workflow_id FROM created
    ON CONFLICT (workflow_id) DO UPDATE SET mark = excluded.mark, marked_at = excluded.marked_at
)

INSERT INTO workflow_store.workflow_scrape AS r (workflow_id, url, last_seen_at, retry_count, given_hash, given_at)
SELECT
    given.workflow_id,
    given.url,
    now(),
    coalesce(given.retry_count, 0),
    decode(given.given_hash, 'hex'),
    now()
FROM
    unnest($1::text[], $2::text[], $60::int8[], $61::text[]) AS given (
        workflow_id, url, retry_count, given_hash
    )
WHERE (SELECT count(*) FROM created) > 0
ON CONFLICT (workflow_id) DO UPDATE SET
    url = excluded.url,
    last_seen_at = excluded.last_seen_at,
    retry_count = coalesce(
        (
            SELECT given.retry_count
            FROM unnest($1::text[], $60::int8[]) AS given (workflow_id, retry_count)
            WHERE given.workflow_id = r.workflow_id
        ),
        r.retry_count
    ),
    given_hash = excluded.given_hash,
    given_at = excluded.given_at
