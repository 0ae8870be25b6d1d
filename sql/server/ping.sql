-- One row, at no cost to the server: whether a connection that was idle still leads to it.
SELECT 1
