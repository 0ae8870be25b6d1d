-- Makes a role the owner of the schema. {role} identifier.
ALTER SCHEMA workflow_store OWNER TO {role}
