-- Makes a role the owner of the schema's own functions; those of an extension stay the extension's. {role} literal.
DO $do$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid
        FROM pg_catalog.pg_proc AS p
        WHERE
            p.pronamespace = 'workflow_store'::regnamespace
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_depend AS d
                WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            )
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO %I', routine, {role});
    END LOOP;
END
$do$
