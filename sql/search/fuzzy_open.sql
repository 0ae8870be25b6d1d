-- Opens a search for titles that resemble words, however they are spelt. Filters on w follow.
-- $1 words text, $2 words text
WITH candidates AS (
    SELECT
        w.workflow_id,
        workflow_store.resemblance(w.title_key COLLATE "default", $2::text)::float8 AS rank
    FROM workflow_store.workflows AS w
    WHERE workflow_store.resembles(w.title_key COLLATE "default", $1::text)
