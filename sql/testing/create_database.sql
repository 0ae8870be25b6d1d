-- Creates an empty database. {name} identifier: PostgreSQL can't take it as a parameter.
CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'
