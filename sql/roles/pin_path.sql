-- Pins where a role looks for what is named without its schema, temporary tables last. {role}, {database} identifiers.
ALTER ROLE {role} IN DATABASE {database} SET search_path = pg_catalog, pg_temp
