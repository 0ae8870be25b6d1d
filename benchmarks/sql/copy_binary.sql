-- Takes rows of a table in the binary format; the identifiers are put in by name.
COPY {schema}.{table} ({columns}) FROM STDIN (FORMAT binary)
