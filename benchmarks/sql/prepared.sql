-- Returns what this session has prepared for a statement, and which kinds of plan it ran with.
-- $1 statement text
SELECT
    p.name,
    p.parameter_types::text[] AS parameter_types,
    p.generic_plans,
    p.custom_plans
FROM pg_catalog.pg_prepared_statements AS p
WHERE p.statement = $1
ORDER BY p.generic_plans + p.custom_plans DESC
LIMIT 1
