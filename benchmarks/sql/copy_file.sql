-- Reads a file of rows into a table, for psql; the identifiers and the path are put in by name.
\copy {schema}.{table} ({columns}) from '{path}' with (format binary)
