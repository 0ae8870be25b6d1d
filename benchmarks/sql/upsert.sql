-- Stores one row of a table, in the place of the one that has its key; the identifiers are put in by name.
INSERT INTO {schema}.{table} ({columns}) VALUES ({places})
ON CONFLICT ({key}) DO UPDATE SET {news}
