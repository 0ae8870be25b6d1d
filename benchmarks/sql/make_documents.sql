-- Makes the search documents of all workflows at once, out of the texts that the store's refresh takes, and nothing else:
-- no marks, no locks, no batches, and no reckoning of bytes.
INSERT INTO workflow_store.workflow_search AS d (workflow_id, document)
SELECT
    w.workflow_id,
    setweight(to_tsvector('workflow_store.document'::regconfig, left(coalesce(m.title, ''), 1000)), 'A')
    || setweight(
        to_tsvector(
            'workflow_store.document'::regconfig,
            left(coalesce(m.use_case, ''), 2000) || ' ' || left(coalesce(m.description, ''), 8000)
        ),
        'B'
    )
    || setweight(
        to_tsvector(
            'workflow_store.document'::regconfig,
            left(coalesce(jsonb_path_query_array(s.workflow_json, '$.nodes[*].name')::text, ''), 10000)
            || ' ' || left(translate(coalesce(s.node_types::text, ''), '.-', '  '), 6000)
            || ' ' || left(coalesce(m.tags::text, ''), 3000)
            || ' ' || left(coalesce(m.categories::text, ''), 1000)
        ),
        'C'
    )
    || setweight(
        to_tsvector(
            'workflow_store.document'::regconfig,
            left(coalesce(c.explainer_text, ''), 80000) || ' ' || left(coalesce(t.spoken, ''), 120000)
        ),
        'D'
    )
FROM workflow_store.workflows AS w
LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_structure AS s ON s.workflow_id = w.workflow_id
LEFT JOIN workflow_store.workflow_content AS c ON c.workflow_id = w.workflow_id
LEFT JOIN (
    SELECT
        v.workflow_id,
        string_agg(v.transcript_text, ' ' ORDER BY v.position) AS spoken
    FROM workflow_store.video_transcripts AS v
    GROUP BY v.workflow_id
) AS t ON t.workflow_id = w.workflow_id
