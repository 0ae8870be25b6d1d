-- Puts records into quarantine; one that is there already is only seen again. Each array has one element a record.
-- $1 record_hashes bytea[], $2 sources text[], $3 positions int8[], $4 workflow_ids text[], $5 reasons text[],
-- $6 raws bytea[], $7 raw_lengths int8[], $8 relatives text[], $9 ids_from text[]
INSERT INTO workflow_store.ingest_quarantine AS q (
    record_hash,
    source,
    position,
    workflow_id,
    reason,
    raw,
    raw_length,
    relative,
    id_from,
    first_seen_at,
    last_seen_at
)
SELECT
    g.record_hash,
    g.source,
    g.position,
    g.workflow_id,
    g.reason,
    g.raw,
    g.raw_length,
    g.relative,
    g.id_from,
    now(),
    now()
FROM unnest(
    $1::bytea[],
    $2::text[],
    $3::int8[],
    $4::text[],
    $5::text[],
    $6::bytea[],
    $7::int8[],
    $8::text[],
    $9::text[]
) AS g (record_hash, source, position, workflow_id, reason, raw, raw_length, relative, id_from)
ORDER BY g.record_hash
ON CONFLICT (record_hash) DO UPDATE SET
    position = excluded.position,
    reason = excluded.reason,
    relative = excluded.relative,
    id_from = excluded.id_from,
    last_seen_at = excluded.last_seen_at,
    times_seen = q.times_seen + 1
