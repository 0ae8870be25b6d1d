-- Renames a database that nobody is connected to. {name}, {new_name} identifiers.
ALTER DATABASE {name} RENAME TO {new_name}
