-- Returns whether a server process is, or may yet be, at work on what was sent to it: it has a transaction open; or its
-- client has given it up and it does not know that yet, so that what was sent may still be on its way there.
-- Through a pooler the numbers that clients know are not the server's: there it is whether any process of this role has
-- had a transaction open since before the client gave up.
-- $1 pid int4, $2 given_up bool; $3 seconds float8: since when, so that another process that has got the
-- number later is not meant; $4 own_pid int4: of this connection, as its client knows it; $5 ended float8:
-- seconds since the client gave up
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE
        a.pid <> pg_catalog.pg_backend_pid()
        AND CASE
            WHEN $4 = pg_catalog.pg_backend_pid()
                THEN
                    a.pid = $1
                    AND (
                        a.xact_start IS NOT NULL
                        OR ($2 AND a.backend_start < clock_timestamp() - make_interval(secs => $3))
                    )
            ELSE
                a.usename = current_user
                AND a.datname = current_database()
                AND a.xact_start < clock_timestamp() - make_interval(secs => $5)
        END
)
