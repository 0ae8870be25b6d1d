-- Returns the server's version in words.
SHOW server_version
