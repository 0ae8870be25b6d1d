-- The sum of the migrations, written by pg_dump 18 and made even: no owners, no settings, no compression, and without
-- the tables in which yoyo keeps what is applied. To be read, not run; tools/dump_schema writes it, a test compares it.

CREATE SCHEMA workflow_store;

CREATE FUNCTION workflow_store.resemblance(title text, words text) RETURNS real
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT workflow_store.word_similarity(words, title) $$;

CREATE FUNCTION workflow_store.resembles(title text, words text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT words OPERATOR(workflow_store.<%) title $$;

CREATE TEXT SEARCH CONFIGURATION workflow_store.document (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR asciiword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR word WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR numword WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR email WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR url WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR host WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR sfloat WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR version WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR hword_numpart WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR hword_part WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR hword_asciipart WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR numhword WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR asciihword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR hword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR url_path WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR file WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR "float" WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR "int" WITH simple;

ALTER TEXT SEARCH CONFIGURATION workflow_store.document
    ADD MAPPING FOR uint WITH simple;

CREATE TABLE workflow_store.ingest_quarantine (
    record_hash bytea NOT NULL,
    source text NOT NULL,
    "position" bigint,
    workflow_id text,
    reason text NOT NULL,
    raw bytea NOT NULL,
    raw_length bigint NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    times_seen bigint DEFAULT 1 NOT NULL,
    relative text,
    id_from text
);

CREATE TABLE workflow_store.video_transcripts (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    video_url text NOT NULL,
    video_id text,
    platform text,
    transcript_text text,
    transcript_json jsonb,
    duration double precision,
    language text,
    extracted_at timestamp with time zone NOT NULL
);

CREATE TABLE workflow_store.workflow_content (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    explainer_text text,
    explainer_html text,
    setup_instructions text,
    use_instructions text,
    has_videos boolean NOT NULL,
    video_count bigint NOT NULL,
    has_iframes boolean NOT NULL,
    iframe_count bigint NOT NULL,
    raw_content jsonb,
    extracted_at timestamp with time zone NOT NULL,
    content_hash bytea
);

CREATE TABLE workflow_store.workflow_media (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    content_type text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT workflow_media_name_check CHECK (((octet_length(name) >= 1) AND (octet_length(name) <= 1024))),
    CONSTRAINT workflow_media_sha256_check CHECK ((octet_length(sha256) = 32))
);

CREATE TABLE workflow_store.workflow_metadata (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    title text,
    description text,
    use_case text,
    author_name text,
    author_url text,
    views bigint,
    shares bigint,
    categories jsonb,
    tags jsonb,
    workflow_created_at timestamp with time zone,
    workflow_updated_at timestamp with time zone,
    raw_metadata jsonb,
    extracted_at timestamp with time zone NOT NULL,
    content_hash bytea,
    short_document tsvector GENERATED ALWAYS AS ((setweight(to_tsvector('workflow_store.document'::regconfig, "left"(COALESCE(title, ''::text), 1000)), 'A'::"char") || setweight(to_tsvector('workflow_store.document'::regconfig, (("left"(COALESCE(use_case, ''::text), 500) || ' '::text) || "left"(COALESCE(description, ''::text), 500))), 'B'::"char"))) STORED
);

CREATE TABLE workflow_store.workflow_scrape (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    url text,
    last_seen_at timestamp with time zone,
    due_at timestamp with time zone,
    lease_token uuid,
    lease_until timestamp with time zone,
    retry_count bigint DEFAULT 0 NOT NULL,
    last_error text,
    given_hash bytea,
    given_at timestamp with time zone,
    CONSTRAINT workflow_scrape_workflow_id_check CHECK (((octet_length(workflow_id) >= 1) AND (octet_length(workflow_id) <= 1024)))
)
WITH (fillfactor='70');

CREATE TABLE workflow_store.workflow_search (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    document tsvector NOT NULL
);

CREATE TABLE workflow_store.workflow_search_pending (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    mark xid8 DEFAULT pg_current_xact_id() NOT NULL,
    marked_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE workflow_store.workflow_structure (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    node_count bigint,
    connection_count bigint,
    node_types jsonb,
    extraction_type text,
    fallback_used boolean NOT NULL,
    workflow_json jsonb,
    extracted_at timestamp with time zone NOT NULL,
    content_hash bytea
);

CREATE TABLE workflow_store.workflows (
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    url text NOT NULL,
    extracted_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    processing_time double precision,
    quality_score double precision,
    layer1_success boolean NOT NULL,
    layer2_success boolean NOT NULL,
    layer3_success boolean NOT NULL,
    error_message text,
    transcripts_hash bytea,
    title_key text COLLATE pg_catalog."C",
    views bigint,
    node_count bigint,
    CONSTRAINT workflows_workflow_id_check CHECK (((octet_length(workflow_id) >= 1) AND (octet_length(workflow_id) <= 1024)))
);

ALTER TABLE ONLY workflow_store.ingest_quarantine
    ADD CONSTRAINT ingest_quarantine_pkey PRIMARY KEY (record_hash);

ALTER TABLE ONLY workflow_store.video_transcripts
    ADD CONSTRAINT video_transcripts_pkey PRIMARY KEY (workflow_id, "position");

ALTER TABLE ONLY workflow_store.workflow_content
    ADD CONSTRAINT workflow_content_pkey PRIMARY KEY (workflow_id);

ALTER TABLE ONLY workflow_store.workflow_media
    ADD CONSTRAINT workflow_media_pkey PRIMARY KEY (workflow_id, name);

ALTER TABLE ONLY workflow_store.workflow_metadata
    ADD CONSTRAINT workflow_metadata_pkey PRIMARY KEY (workflow_id);

ALTER TABLE ONLY workflow_store.workflow_scrape
    ADD CONSTRAINT workflow_scrape_pkey PRIMARY KEY (workflow_id);

ALTER TABLE ONLY workflow_store.workflow_search_pending
    ADD CONSTRAINT workflow_search_pending_pkey PRIMARY KEY (workflow_id);

ALTER TABLE ONLY workflow_store.workflow_search
    ADD CONSTRAINT workflow_search_pkey PRIMARY KEY (workflow_id);

ALTER TABLE ONLY workflow_store.workflow_structure
    ADD CONSTRAINT workflow_structure_pkey PRIMARY KEY (workflow_id);

ALTER TABLE ONLY workflow_store.workflows
    ADD CONSTRAINT workflows_pkey PRIMARY KEY (workflow_id);

CREATE INDEX ingest_quarantine_last_seen_at_idx ON workflow_store.ingest_quarantine USING btree (last_seen_at, record_hash);

CREATE INDEX workflow_content_has_videos_idx ON workflow_store.workflow_content USING btree (workflow_id) WHERE has_videos;

CREATE INDEX workflow_media_sha256_idx ON workflow_store.workflow_media USING btree (sha256);

CREATE INDEX workflow_metadata_author_idx ON workflow_store.workflow_metadata USING btree ("left"(author_name, 128) COLLATE "C");

CREATE INDEX workflow_metadata_categories_idx ON workflow_store.workflow_metadata USING gin (categories jsonb_path_ops);

CREATE INDEX workflow_metadata_short_document_idx ON workflow_store.workflow_metadata USING gin (short_document);

CREATE INDEX workflow_metadata_tags_idx ON workflow_store.workflow_metadata USING gin (tags jsonb_path_ops);

CREATE INDEX workflow_scrape_due_at_idx ON workflow_store.workflow_scrape USING btree (due_at, workflow_id) WHERE (due_at IS NOT NULL);

CREATE INDEX workflow_search_document_idx ON workflow_store.workflow_search USING gin (document);

CREATE INDEX workflow_structure_node_types_idx ON workflow_store.workflow_structure USING gin (node_types jsonb_path_ops);

CREATE INDEX workflows_extracted_at_idx ON workflow_store.workflows USING btree (extracted_at, workflow_id);

CREATE INDEX workflows_has_error_idx ON workflow_store.workflows USING btree (workflow_id) WHERE (error_message IS NOT NULL);

CREATE INDEX workflows_layer1_success_idx ON workflow_store.workflows USING btree (layer1_success);

CREATE INDEX workflows_layer2_success_idx ON workflow_store.workflows USING btree (layer2_success);

CREATE INDEX workflows_layer3_success_idx ON workflow_store.workflows USING btree (layer3_success);

CREATE INDEX workflows_node_count_idx ON workflow_store.workflows USING btree (node_count, workflow_id);

CREATE INDEX workflows_quality_score_idx ON workflow_store.workflows USING btree (quality_score, workflow_id);

CREATE INDEX workflows_title_key_idx ON workflow_store.workflows USING btree (title_key, workflow_id);

CREATE INDEX workflows_title_trigrams_idx ON workflow_store.workflows USING gin (title_key COLLATE "default" workflow_store.gin_trgm_ops);

CREATE INDEX workflows_updated_at_idx ON workflow_store.workflows USING btree (updated_at, workflow_id);

CREATE INDEX workflows_views_idx ON workflow_store.workflows USING btree (views, workflow_id);

ALTER TABLE ONLY workflow_store.video_transcripts
    ADD CONSTRAINT video_transcripts_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflow_store.workflows(workflow_id) ON DELETE CASCADE;

ALTER TABLE ONLY workflow_store.workflow_content
    ADD CONSTRAINT workflow_content_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflow_store.workflows(workflow_id) ON DELETE CASCADE;

ALTER TABLE ONLY workflow_store.workflow_media
    ADD CONSTRAINT workflow_media_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflow_store.workflows(workflow_id) ON DELETE CASCADE;

ALTER TABLE ONLY workflow_store.workflow_metadata
    ADD CONSTRAINT workflow_metadata_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflow_store.workflows(workflow_id) ON DELETE CASCADE;

ALTER TABLE ONLY workflow_store.workflow_search
    ADD CONSTRAINT workflow_search_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflow_store.workflows(workflow_id) ON DELETE CASCADE;

ALTER TABLE ONLY workflow_store.workflow_structure
    ADD CONSTRAINT workflow_structure_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflow_store.workflows(workflow_id) ON DELETE CASCADE;
