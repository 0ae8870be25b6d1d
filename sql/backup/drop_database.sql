-- Removes a database, ending what is connected to it. {name} identifier.
DROP DATABASE IF EXISTS {name} WITH (FORCE)
