-- Opens a listing of workflows whose ids are known. Closed by `close`.
-- $1 workflow_ids text[]
WITH page AS (
    SELECT unnest($1::text[]) AS workflow_id
