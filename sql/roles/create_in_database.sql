-- Lets a role make schemas in a database. {database}, {role} identifiers.
GRANT CREATE ON DATABASE {database} TO {role}
