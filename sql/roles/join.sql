-- Makes a role a member of another. {role}, {member} identifiers.
GRANT {role} TO {member}
