-- Returns a name for this database that no copy of it shares: the cluster's identifier and the database's number.
SELECT c.system_identifier::text || '-' || d.oid::text AS owner
FROM pg_catalog.pg_control_system() AS c, pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()
