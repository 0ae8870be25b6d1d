-- Lets nobody connect to a database any more, so that it can be renamed. {name} identifier.
ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false
