-- Lets a role connect to a database. {database}, {role} identifiers.
GRANT CONNECT ON DATABASE {database} TO {role}
