-- Makes the stored list of transcripts the given one; returns true where that changed anything.
-- Each array has one element a transcript, in order.
-- $1 workflow_id text, $2 video_urls text[], $3 video_ids text[], $4 platforms text[], $5 texts text[],
-- $6 documents jsonb[], $7 durations float8[], $8 languages text[], $9 extracted_at timestamptz[]
WITH given AS (
    SELECT
        g.ordinal - 1 AS place,
        g.video_url,
        g.video_id,
        g.platform,
        g.transcript_text,
        g.transcript_json,
        g.duration,
        g.language,
        g.extracted_at
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::float8[], $8::text[], $9::timestamptz[])
        WITH ORDINALITY AS g (
            video_url, video_id, platform, transcript_text, transcript_json, duration, language, extracted_at, ordinal
        )
),

surplus AS (
    DELETE FROM workflow_store.video_transcripts AS t
    WHERE t.workflow_id = $1 AND t.position >= cardinality($2)
    RETURNING t.position
),

written AS (
    INSERT INTO workflow_store.video_transcripts AS t (
        workflow_id, position, video_url, video_id, platform, transcript_text, transcript_json, duration, language,
        extracted_at
    )
    SELECT
        $1,
        given.place,
        given.video_url,
        given.video_id,
        given.platform,
        given.transcript_text,
        given.transcript_json,
        given.duration,
        given.language,
        given.extracted_at
    FROM given
    ORDER BY given.place
    ON CONFLICT (workflow_id, position) DO UPDATE SET
        video_url = excluded.video_url,
        video_id = excluded.video_id,
        platform = excluded.platform,
        transcript_text = excluded.transcript_text,
        transcript_json = excluded.transcript_json,
        duration = excluded.duration,
        language = excluded.language,
        extracted_at = excluded.extracted_at
    WHERE
        t.video_url IS DISTINCT FROM excluded.video_url
        OR t.video_id IS DISTINCT FROM excluded.video_id
        OR t.platform IS DISTINCT FROM excluded.platform
        OR t.transcript_text IS DISTINCT FROM excluded.transcript_text
        OR t.duration IS DISTINCT FROM excluded.duration
        OR t.language IS DISTINCT FROM excluded.language
        OR t.transcript_json::text IS DISTINCT FROM excluded.transcript_json::text
    RETURNING t.position
)

SELECT EXISTS (SELECT FROM surplus) OR EXISTS (SELECT FROM written) AS changed
