-- Sets, for a session that migrates, the language that search is made with where the schema is new.
-- Returns one row of it. Takes $1: the name of a text search configuration, as text.
SELECT set_config('workflow_store.language', $1::text, false) AS language;
