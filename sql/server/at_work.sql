-- Returns whether a server process is, or may yet be, at work on what was sent to it: it has a transaction open; or its
-- client has given it up and it does not know that yet, so that what was sent may still be on its way there.
-- $1 pid int4, $2 given_up boolean, $3 seconds double precision: since when, so that another process that has got the
-- number later is not meant
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE
        a.pid = $1
        AND a.pid <> pg_catalog.pg_backend_pid()
        AND (a.xact_start IS NOT NULL OR ($2 AND a.backend_start < clock_timestamp() - make_interval(secs => $3)))
)
