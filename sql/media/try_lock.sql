-- Locks files against being linked until the transaction ends; returns those that nobody links or collects right now.
-- $1 sha256s bytea[]
SELECT g.sha256
FROM unnest($1::bytea[]) AS g (sha256)
WHERE pg_catalog.pg_try_advisory_xact_lock(
    1835361385, ('x' || encode(substr(g.sha256, 1, 4), 'hex'))::bit(32)::int4
)
