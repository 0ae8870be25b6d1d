-- Lets the server look every second, while a statement runs or waits, whether its client is still there: the session of
-- a killed migrator ends, and its lock with it. Refused with 22023 where the server's platform can't do that.
-- Returns one row: the new value. Takes nothing.
SELECT set_config('client_connection_check_interval', '1000', false) AS client_connection_check_interval;
