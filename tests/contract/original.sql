-- The tables of the SQLAlchemy layer, as it makes them on PostgreSQL 17.
CREATE TABLE workflows (
    id SERIAL NOT NULL PRIMARY KEY,
    workflow_id VARCHAR(50),
    url VARCHAR(500) NOT NULL,
    extracted_at TIMESTAMP WITHOUT TIME ZONE,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    processing_time DOUBLE PRECISION,
    quality_score DOUBLE PRECISION,
    layer1_success BOOLEAN,
    layer2_success BOOLEAN,
    layer3_success BOOLEAN,
    error_message TEXT,
    retry_count INTEGER
);
CREATE UNIQUE INDEX ix_workflows_workflow_id ON workflows (workflow_id);
CREATE INDEX ix_workflows_extracted_at ON workflows (extracted_at);
CREATE INDEX ix_workflows_quality_score ON workflows (quality_score);

CREATE TABLE workflow_metadata (
    id SERIAL NOT NULL PRIMARY KEY,
    workflow_id VARCHAR(50) NOT NULL UNIQUE REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    title TEXT,
    description TEXT,
    use_case TEXT,
    author_name VARCHAR(255),
    author_url VARCHAR(500),
    views INTEGER,
    shares INTEGER,
    categories JSONB,
    tags JSONB,
    workflow_created_at TIMESTAMP WITHOUT TIME ZONE,
    workflow_updated_at TIMESTAMP WITHOUT TIME ZONE,
    extracted_at TIMESTAMP WITHOUT TIME ZONE,
    raw_metadata JSONB
);
CREATE INDEX ix_workflow_metadata_title ON workflow_metadata (title);
CREATE INDEX ix_workflow_metadata_categories ON workflow_metadata USING gin (categories);

CREATE TABLE workflow_structure (
    id SERIAL NOT NULL PRIMARY KEY,
    workflow_id VARCHAR(50) NOT NULL UNIQUE REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    node_count INTEGER,
    connection_count INTEGER,
    node_types JSONB,
    extraction_type VARCHAR(50),
    fallback_used BOOLEAN,
    workflow_json JSONB,
    extracted_at TIMESTAMP WITHOUT TIME ZONE
);
CREATE INDEX ix_workflow_structure_node_count ON workflow_structure (node_count);
CREATE INDEX ix_workflow_structure_node_types ON workflow_structure USING gin (node_types);

CREATE TABLE workflow_content (
    id SERIAL NOT NULL PRIMARY KEY,
    workflow_id VARCHAR(50) NOT NULL UNIQUE REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    explainer_text TEXT,
    explainer_html TEXT,
    setup_instructions TEXT,
    use_instructions TEXT,
    has_videos BOOLEAN,
    video_count INTEGER,
    has_iframes BOOLEAN,
    iframe_count INTEGER,
    raw_content JSONB,
    extracted_at TIMESTAMP WITHOUT TIME ZONE
);
CREATE INDEX ix_workflow_content_has_videos ON workflow_content (has_videos);

CREATE TABLE video_transcripts (
    id SERIAL NOT NULL PRIMARY KEY,
    workflow_id VARCHAR(50) NOT NULL REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    video_url VARCHAR(500) NOT NULL,
    video_id VARCHAR(100),
    platform VARCHAR(50),
    transcript_text TEXT,
    transcript_json JSONB,
    duration INTEGER,
    language VARCHAR(10),
    extracted_at TIMESTAMP WITHOUT TIME ZONE
);
CREATE INDEX ix_video_transcripts_workflow_id ON video_transcripts (workflow_id);
CREATE INDEX ix_video_transcripts_platform ON video_transcripts (platform);
