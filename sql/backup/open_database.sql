-- Lets people connect to a database again. {name} identifier.
ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true
