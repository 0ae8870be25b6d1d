-- Makes an empty database. {name} identifier.
CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'
