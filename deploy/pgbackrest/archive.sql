-- Has the server hand its log to pgBackRest, a segment at the latest after a minute. The image runs it when it makes a
-- cluster; on one that is there already run it by psql, and start the server again.
ALTER SYSTEM SET archive_mode = on;
ALTER SYSTEM SET archive_command = 'pgbackrest --stanza=store archive-push %p';
ALTER SYSTEM SET archive_timeout = '1min';
