-- Lets a role log in with a password, given as what the server keeps of it, so that no log shows it. {role} identifier,
-- {verifier} literal.
ALTER ROLE {role} LOGIN PASSWORD {verifier}
