-- Makes the search documents of the given workflows, and returns the marks that asked for them, to be cleared by the next
-- statement of the transaction: the parents are locked first, at the end of this one, as a delete does.
-- Texts are cut so that no document nears the 1 MB a tsvector may have, whatever is in them: by bytes, since left()
-- counts characters. Node names come from the workflow's own JSON.
-- $1 workflow_ids text[]
WITH waiting AS MATERIALIZED (
    SELECT
        p.workflow_id,
        p.mark
    FROM workflow_store.workflow_search_pending AS p
    WHERE p.workflow_id = ANY ($1)
),

texts AS (
    SELECT
        w.workflow_id,
        left(coalesce(m.title, ''), 1000) AS title,
        left(coalesce(m.use_case, ''), 2000) || ' ' || left(coalesce(m.description, ''), 8000) AS summary,
        left(coalesce(jsonb_path_query_array(s.workflow_json, '$.nodes[*].name')::text, ''), 10000)
        || ' ' || left(translate(coalesce(s.node_types::text, ''), '.-', '  '), 6000)
        || ' ' || left(coalesce(m.tags::text, ''), 3000)
        || ' ' || left(coalesce(m.categories::text, ''), 1000) AS labels,
        coalesce(
            left(
                c.explainer_text,
                (80000::int8 * char_length(c.explainer_text) / greatest(octet_length(c.explainer_text), 1))::integer
            ),
            ''
        ) AS explainer,
        coalesce(
            left(t.spoken, (120000::int8 * char_length(t.spoken) / greatest(octet_length(t.spoken), 1))::integer), ''
        ) AS spoken
    FROM waiting
    INNER JOIN workflow_store.workflows AS w ON w.workflow_id = waiting.workflow_id
    LEFT JOIN workflow_store.workflow_metadata AS m ON m.workflow_id = w.workflow_id
    LEFT JOIN workflow_store.workflow_structure AS s ON s.workflow_id = w.workflow_id
    LEFT JOIN workflow_store.workflow_content AS c ON c.workflow_id = w.workflow_id
    LEFT JOIN (
        SELECT
            v.workflow_id,
            string_agg(v.transcript_text, ' ' ORDER BY v.position) AS spoken
        FROM workflow_store.video_transcripts AS v
        WHERE v.workflow_id = ANY ($1)
        GROUP BY v.workflow_id
    ) AS t ON t.workflow_id = w.workflow_id
),

documents AS (
    INSERT INTO workflow_store.workflow_search AS d (workflow_id, document)
    SELECT
        texts.workflow_id,
        setweight(to_tsvector('workflow_store.document'::regconfig, texts.title), 'A')
        || setweight(to_tsvector('workflow_store.document'::regconfig, texts.summary), 'B')
        || setweight(to_tsvector('workflow_store.document'::regconfig, texts.labels), 'C')
        || setweight(
            to_tsvector('workflow_store.document'::regconfig, texts.explainer || ' ' || texts.spoken), 'D'
        )
    FROM texts
    ORDER BY texts.workflow_id
    ON CONFLICT (workflow_id) DO UPDATE SET document = excluded.document
    RETURNING d.workflow_id
)

SELECT
    waiting.workflow_id,
    waiting.mark::text AS mark
FROM waiting
