-- Returns each workflow of the SQLAlchemy layer with its four children, in the order of their numbers; a child that is
-- not there is NULL. Numbers and times come inside jsonb: NaN, infinity and years before Christ are text there, and no
-- row can end the reading. {schema} identifier.
SELECT
    to_jsonb(w) AS workflow,
    to_jsonb(m) - 'raw_metadata' AS metadata,
    m.raw_metadata,
    to_jsonb(s) - 'workflow_json' AS structure,
    s.workflow_json,
    to_jsonb(c) - 'raw_content' AS content,
    c.raw_content,
    (
        SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id)
        FROM {schema}.video_transcripts AS t
        WHERE t.workflow_id = w.workflow_id
    ) AS transcripts
FROM {schema}.workflows AS w
LEFT JOIN {schema}.workflow_metadata AS m ON w.workflow_id = m.workflow_id
LEFT JOIN {schema}.workflow_structure AS s ON w.workflow_id = s.workflow_id
LEFT JOIN {schema}.workflow_content AS c ON w.workflow_id = c.workflow_id
ORDER BY w.id
