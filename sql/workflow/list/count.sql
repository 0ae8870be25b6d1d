-- Opens the count of a listing. Filters follow.
SELECT count(*) AS total
FROM workflow_store.workflows AS w
WHERE true
