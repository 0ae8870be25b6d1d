-- Returns a row where there is a role of this name.
-- $1 rolname text
SELECT r.rolcanlogin AS can_login FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1
