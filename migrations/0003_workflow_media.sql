-- depends: 0002_ingest_quarantine
-- Links from a workflow to its media files. The files themselves lie outside, named by their SHA-256.

CREATE TABLE workflow_store.workflow_media (
    workflow_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    content_type text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT workflow_media_pkey PRIMARY KEY (workflow_id, name),
    CONSTRAINT workflow_media_name_check CHECK (octet_length(name) BETWEEN 1 AND 1024),
    CONSTRAINT workflow_media_sha256_check CHECK (octet_length(sha256) = 32),
    CONSTRAINT workflow_media_workflow_id_fkey FOREIGN KEY (workflow_id)
        REFERENCES workflow_store.workflows (workflow_id) ON DELETE CASCADE
);

CREATE INDEX workflow_media_sha256_idx ON workflow_store.workflow_media (sha256);
