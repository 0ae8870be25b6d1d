-- Sets a parameter for the sessions of a role in a database. {role}, {database}, {parameter} identifiers, {value} literal.
ALTER ROLE {role} IN DATABASE {database} SET {parameter} = {value}
