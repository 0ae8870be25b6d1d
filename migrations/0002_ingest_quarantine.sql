-- depends: 0001_workflows
-- Records that could not be read or stored, with the reason and their own bytes.
--
-- record_hash is over source and bytes, so that a rerun finds the row it made before. raw holds at most 1 MB, raw_length
-- says how many bytes there were. No foreign key: most of these have no workflow.

CREATE TABLE workflow_store.ingest_quarantine (
    record_hash bytea NOT NULL,
    source text NOT NULL,
    "position" bigint,
    workflow_id text,
    reason text NOT NULL,
    raw bytea NOT NULL,
    raw_length bigint NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT ingest_quarantine_pkey PRIMARY KEY (record_hash)
);

CREATE INDEX ingest_quarantine_last_seen_at_idx ON workflow_store.ingest_quarantine (last_seen_at, record_hash);
