-- depends: 0004_search
-- Indexes for the filters of a listing that no other index serves.
--
-- A flag's index holds one entry of a few bytes for a row, and serves whichever value is rare. Authors are indexed by
-- their first 128 characters, since a name has no bound and a b-tree's entry has one.

-- Nothing reads or writes these tables while a release's migrations run.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflows_layer1_success_idx ON workflow_store.workflows (layer1_success);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflows_layer2_success_idx ON workflow_store.workflows (layer2_success);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflows_layer3_success_idx ON workflow_store.workflows (layer3_success);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflows_has_error_idx ON workflow_store.workflows (workflow_id) WHERE error_message IS NOT NULL;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX workflow_metadata_author_idx ON workflow_store.workflow_metadata (left(author_name, 128) COLLATE "C");
