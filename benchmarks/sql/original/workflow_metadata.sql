-- Fills the ORM's table with what the store has.
INSERT INTO original.workflow_metadata (
    workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
    workflow_created_at, workflow_updated_at, raw_metadata, extracted_at
)
SELECT
    m.workflow_id, m.title, m.description, m.use_case, m.author_name, m.author_url, m.views, m.shares, m.categories,
    m.tags, m.workflow_created_at, m.workflow_updated_at, m.raw_metadata, m.extracted_at
FROM workflow_store.workflow_metadata AS m
