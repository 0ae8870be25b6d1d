-- The five tables of a scraped workflow, and what its scraping needs remembered.
--
--   workflows           one row a workflow: address, stamps, score, which parts are stored, and the keys it is
--                       listed by, kept beside it so that every order comes out of one index
--   workflow_metadata   layer 1, the page                              0 or 1 row
--   workflow_structure  layer 2, the workflow's own JSON               0 or 1 row
--   workflow_content    layer 3, the explaining texts                  0 or 1 row
--   video_transcripts   a list, in order                               any number
--   workflow_scrape     when it was seen, is due, how often it failed  narrow, so that a scrape that brought nothing
--                       new never rewrites a wide row; no foreign key, since it may be known before it is scraped
--
-- The natural key leads every key, and nothing else is unique: the tables can be distributed by it.
-- content_hash is over the encoded columns of its row but for stamps; NULL is "not known". transcripts_hash is that of
-- the list; NULL is "no list was ever given", which is not the same as an empty one.
-- Times are with time zone, counters bigint. No b-tree holds free text: titles are listed by their first 128 characters.

CREATE SCHEMA IF NOT EXISTS workflow_store;

CREATE TABLE workflow_store.workflows (
    workflow_id text COLLATE "C" NOT NULL,
    url text NOT NULL,
    extracted_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    processing_time double precision,
    quality_score double precision,
    layer1_success boolean NOT NULL,
    layer2_success boolean NOT NULL,
    layer3_success boolean NOT NULL,
    error_message text,
    transcripts_hash bytea,
    title_key text COLLATE "C",
    views bigint,
    node_count bigint,
    CONSTRAINT workflows_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflows_workflow_id_check CHECK (octet_length(workflow_id) BETWEEN 1 AND 1024)
);

CREATE INDEX workflows_extracted_at_idx ON workflow_store.workflows (extracted_at, workflow_id);

CREATE INDEX workflows_updated_at_idx ON workflow_store.workflows (updated_at, workflow_id);

CREATE INDEX workflows_quality_score_idx ON workflow_store.workflows (quality_score, workflow_id);

CREATE INDEX workflows_views_idx ON workflow_store.workflows (views, workflow_id);

CREATE INDEX workflows_title_key_idx ON workflow_store.workflows (title_key, workflow_id);

CREATE INDEX workflows_node_count_idx ON workflow_store.workflows (node_count, workflow_id);

CREATE TABLE workflow_store.workflow_metadata (
    workflow_id text COLLATE "C" NOT NULL,
    title text,
    description text,
    use_case text,
    author_name text,
    author_url text,
    views bigint,
    shares bigint,
    categories jsonb,
    tags jsonb,
    workflow_created_at timestamptz,
    workflow_updated_at timestamptz,
    raw_metadata jsonb,
    extracted_at timestamptz NOT NULL,
    content_hash bytea,
    CONSTRAINT workflow_metadata_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflow_metadata_workflow_id_fkey FOREIGN KEY (workflow_id)
        REFERENCES workflow_store.workflows (workflow_id) ON DELETE CASCADE
);

CREATE INDEX workflow_metadata_categories_idx ON workflow_store.workflow_metadata
    USING gin (categories jsonb_path_ops);

CREATE INDEX workflow_metadata_tags_idx ON workflow_store.workflow_metadata USING gin (tags jsonb_path_ops);

CREATE TABLE workflow_store.workflow_structure (
    workflow_id text COLLATE "C" NOT NULL,
    node_count bigint,
    connection_count bigint,
    node_types jsonb,
    extraction_type text,
    fallback_used boolean NOT NULL,
    workflow_json jsonb,
    extracted_at timestamptz NOT NULL,
    content_hash bytea,
    CONSTRAINT workflow_structure_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflow_structure_workflow_id_fkey FOREIGN KEY (workflow_id)
        REFERENCES workflow_store.workflows (workflow_id) ON DELETE CASCADE
);

CREATE INDEX workflow_structure_node_types_idx ON workflow_store.workflow_structure
    USING gin (node_types jsonb_path_ops);

CREATE TABLE workflow_store.workflow_content (
    workflow_id text COLLATE "C" NOT NULL,
    explainer_text text,
    explainer_html text,
    setup_instructions text,
    use_instructions text,
    has_videos boolean NOT NULL,
    video_count bigint NOT NULL,
    has_iframes boolean NOT NULL,
    iframe_count bigint NOT NULL,
    raw_content jsonb,
    extracted_at timestamptz NOT NULL,
    content_hash bytea,
    CONSTRAINT workflow_content_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflow_content_workflow_id_fkey FOREIGN KEY (workflow_id)
        REFERENCES workflow_store.workflows (workflow_id) ON DELETE CASCADE
);

CREATE INDEX workflow_content_has_videos_idx ON workflow_store.workflow_content (workflow_id) WHERE has_videos;

CREATE TABLE workflow_store.video_transcripts (
    workflow_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    video_url text NOT NULL,
    video_id text,
    platform text,
    transcript_text text,
    transcript_json jsonb,
    duration double precision,
    language text,
    extracted_at timestamptz NOT NULL,
    CONSTRAINT video_transcripts_pkey PRIMARY KEY (workflow_id, position),
    CONSTRAINT video_transcripts_workflow_id_fkey FOREIGN KEY (workflow_id)
        REFERENCES workflow_store.workflows (workflow_id) ON DELETE CASCADE
);

CREATE TABLE workflow_store.workflow_scrape (
    workflow_id text COLLATE "C" NOT NULL,
    url text,
    last_seen_at timestamptz,
    due_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    retry_count bigint NOT NULL DEFAULT 0,
    CONSTRAINT workflow_scrape_pkey PRIMARY KEY (workflow_id),
    CONSTRAINT workflow_scrape_workflow_id_check CHECK (octet_length(workflow_id) BETWEEN 1 AND 1024)
) WITH (fillfactor = 70);
