-- Lets nobody connect to a database, or make something in it, who was not given that. {database} identifier.
REVOKE ALL ON DATABASE {database} FROM PUBLIC
