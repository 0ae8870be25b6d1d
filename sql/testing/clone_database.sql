-- Creates a database as a copy of another that nobody is connected to. {name}, {template} identifiers.
CREATE DATABASE {name} TEMPLATE {template}
