-- Ends a transaction whose caller has gone, if there is one; returns nothing.
ROLLBACK
