-- Makes a role that may not log in yet. {role} identifier.
CREATE ROLE {role} NOLOGIN
