-- Makes a role the owner of a table, and of its indexes. {table}, {role} identifiers.
ALTER TABLE workflow_store.{table} OWNER TO {role}
