-- Drops a database, ending what is still connected to it. {name} identifier.
DROP DATABASE IF EXISTS {name} WITH (FORCE)
