-- Sorts into a GIN index what it has collected; returns how many pages that were. $1 name text: of the index
SELECT pg_catalog.gin_clean_pending_list(pg_catalog.to_regclass('workflow_store.' || pg_catalog.quote_ident($1))) AS pages
