-- Fixes, until the end of the transaction, how values are written as text, so that two servers write the same.
-- Returns one row of no interest.
SELECT
    set_config('TimeZone', 'UTC', true) AS timezone,
    set_config('DateStyle', 'ISO, YMD', true) AS datestyle,
    set_config('IntervalStyle', 'postgres', true) AS intervalstyle,
    set_config('extra_float_digits', '1', true) AS float_digits,
    set_config('bytea_output', 'hex', true) AS bytea
