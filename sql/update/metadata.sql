-- Sets the named columns of a workflow's metadata; where none is stored it is created, the other columns empty.
-- The parent's row is locked by then. The hash becomes unknown: what the scraper would spell is not known here.
-- $1 workflow_id text, $2 columns text[], $3 title text, $4 description text, $5 use_case text, $6 author_name text,
-- $7 author_url text, $8 views int8, $9 shares int8, $10 categories jsonb, $11 tags jsonb,
-- $12 workflow_created_at timestamptz, $13 workflow_updated_at timestamptz, $14 raw_metadata jsonb,
-- $15 extracted_at timestamptz
INSERT INTO workflow_store.workflow_metadata AS m (
    workflow_id, title, description, use_case, author_name, author_url, views, shares, categories, tags,
    workflow_created_at, workflow_updated_at, raw_metadata, extracted_at, content_hash
)
VALUES ($1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL)
ON CONFLICT (workflow_id) DO UPDATE SET
    title = CASE WHEN 'title' = ANY ($2) THEN excluded.title ELSE m.title END,
    description = CASE WHEN 'description' = ANY ($2) THEN excluded.description ELSE m.description END,
    use_case = CASE WHEN 'use_case' = ANY ($2) THEN excluded.use_case ELSE m.use_case END,
    author_name = CASE WHEN 'author_name' = ANY ($2) THEN excluded.author_name ELSE m.author_name END,
    author_url = CASE WHEN 'author_url' = ANY ($2) THEN excluded.author_url ELSE m.author_url END,
    views = CASE WHEN 'views' = ANY ($2) THEN excluded.views ELSE m.views END,
    shares = CASE WHEN 'shares' = ANY ($2) THEN excluded.shares ELSE m.shares END,
    categories = CASE WHEN 'categories' = ANY ($2) THEN excluded.categories ELSE m.categories END,
    tags = CASE WHEN 'tags' = ANY ($2) THEN excluded.tags ELSE m.tags END,
    workflow_created_at = CASE
        WHEN 'workflow_created_at' = ANY ($2) THEN excluded.workflow_created_at
        ELSE m.workflow_created_at
    END,
    workflow_updated_at = CASE
        WHEN 'workflow_updated_at' = ANY ($2) THEN excluded.workflow_updated_at
        ELSE m.workflow_updated_at
    END,
    raw_metadata = CASE WHEN 'raw_metadata' = ANY ($2) THEN excluded.raw_metadata ELSE m.raw_metadata END,
    extracted_at = CASE WHEN 'extracted_at' = ANY ($2) THEN excluded.extracted_at ELSE m.extracted_at END,
    content_hash = NULL
