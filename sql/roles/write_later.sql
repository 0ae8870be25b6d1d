-- Lets a role write the rows of tables that the owner makes later. {owner}, {role} identifiers.
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA workflow_store GRANT INSERT, UPDATE, DELETE ON TABLES TO {role}
