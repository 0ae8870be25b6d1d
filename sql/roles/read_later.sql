-- Lets a role read tables that the owner makes later. {owner}, {role} identifiers.
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA workflow_store GRANT SELECT ON TABLES TO {role}
