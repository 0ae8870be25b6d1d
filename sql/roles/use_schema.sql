-- Lets a role use the schema. {role} identifier.
GRANT USAGE ON SCHEMA workflow_store TO {role}
