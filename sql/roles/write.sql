-- Lets a role write the rows of a table. {table}, {role} identifiers.
GRANT INSERT, UPDATE, DELETE ON TABLE workflow_store.{table} TO {role}
