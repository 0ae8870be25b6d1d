-- Lets a role read all tables of the schema. {role} identifier.
GRANT SELECT ON ALL TABLES IN SCHEMA workflow_store TO {role}
