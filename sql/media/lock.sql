-- Waits until no collection holds the file, and keeps collections off it until the transaction ends; returns true.
-- 1835361385 spells "medi" and keeps these locks apart from others; media/try_lock.sql uses it too.
-- $1 sha256 bytea
SELECT pg_catalog.pg_advisory_xact_lock_shared(
    1835361385, ('x' || encode(substr($1::bytea, 1, 4), 'hex'))::bit(32)::int4
)::text IS NOT NULL AS locked
