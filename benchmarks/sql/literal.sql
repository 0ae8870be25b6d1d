-- Returns a value as a literal of its type. {type} a type's name.
-- $1 value
SELECT quote_nullable($1::{type}::text) || '::{type}' AS literal
