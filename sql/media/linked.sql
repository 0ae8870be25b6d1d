-- Returns those of the given files that at least one workflow links to.
-- $1 sha256s bytea[]
SELECT g.sha256
FROM unnest($1::bytea[]) AS g (sha256)
WHERE g.sha256 IN (
    SELECT m.sha256 FROM workflow_store.workflow_media AS m WHERE m.sha256 = ANY($1::bytea[])
)
