-- depends: 0003_workflow_media
-- Search: full text in two steps, and titles by trigrams.
--
--   workflow_metadata.short_document   generated with the row, from short texts only, so that a workflow is found by its
--                                      title as soon as it is stored
--   workflow_search.document           everything: title A, description and use case B, node names and tags C, explainer
--                                      and transcripts D; filled by a refresh outside the insert's transaction, since
--                                      parsing long texts is half of an insert's cost
--   workflow_search_pending            what waits for the refresh; mark is the transaction that asked for it, so that a
--                                      refresh clears only what it has seen
--
-- The language of the configuration workflow_store.document is chosen here, once: workflow_store.language, else english.
-- pg_trgm may live in any schema already; it is made in ours if it is nowhere.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE EXTENSION pg_trgm SCHEMA workflow_store;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_ts_config AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.cfgnamespace
        WHERE n.nspname = 'workflow_store' AND c.cfgname = 'document'
    ) THEN
        EXECUTE format(
            'CREATE TEXT SEARCH CONFIGURATION workflow_store.document (COPY = pg_catalog.%I)',
            coalesce(nullif(current_setting('workflow_store.language', true), ''), 'english')
        );
    END IF;
END
$$;

-- The rewrite and the short lock are accepted: no release made a store without this column.
-- squawk-ignore adding-field-with-default
ALTER TABLE workflow_store.workflow_metadata ADD COLUMN short_document tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('workflow_store.document'::regconfig, left(coalesce(title, ''), 1000)), 'A')
    || setweight(
        to_tsvector(
            'workflow_store.document'::regconfig,
            left(coalesce(use_case, ''), 500) || ' ' || left(coalesce(description, ''), 500)
        ),
        'B'
    )
) STORED;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflow_metadata_short_document_idx ON workflow_store.workflow_metadata USING gin (short_document);

CREATE TABLE workflow_store.workflow_search (
    workflow_id text COLLATE "C" NOT NULL,
    document tsvector NOT NULL,
    CONSTRAINT workflow_search_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflow_search_workflow_id_fkey FOREIGN KEY (workflow_id)
        REFERENCES workflow_store.workflows (workflow_id) ON DELETE CASCADE
);

CREATE INDEX workflow_search_document_idx ON workflow_store.workflow_search USING gin (document);

CREATE TABLE workflow_store.workflow_search_pending (
    workflow_id text COLLATE "C" NOT NULL,
    mark xid8 NOT NULL DEFAULT pg_current_xact_id(),
    marked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workflow_search_pending_pkey PRIMARY KEY (workflow_id)
);

INSERT INTO workflow_store.workflow_search_pending (workflow_id)
SELECT w.workflow_id FROM workflow_store.workflows AS w
ON CONFLICT (workflow_id) DO NOTHING;

DO $$
DECLARE
    home name := (
        SELECT n.nspname FROM pg_catalog.pg_extension AS e
        JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_trgm'
    );
BEGIN
    EXECUTE format(
        'CREATE INDEX workflows_title_trigrams_idx ON workflow_store.workflows'
        ' USING gin ((title_key COLLATE "default") %I.gin_trgm_ops)',
        home
    );
    -- SQL functions of one expression are inlined, so that the index serves them wherever the extension lives.
    EXECUTE format(
        'CREATE FUNCTION workflow_store.resembles(title text, words text) RETURNS boolean LANGUAGE sql STABLE'
        ' PARALLEL SAFE AS $f$ SELECT words OPERATOR(%I.<%%) title $f$',
        home
    );
    EXECUTE format(
        'CREATE FUNCTION workflow_store.resemblance(title text, words text) RETURNS real LANGUAGE sql IMMUTABLE'
        ' PARALLEL SAFE AS $f$ SELECT %I.word_similarity(words, title) $f$',
        home
    );
END
$$;
