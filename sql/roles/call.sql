-- Lets a role call the functions of the schema. {role} identifier.
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA workflow_store TO {role}
