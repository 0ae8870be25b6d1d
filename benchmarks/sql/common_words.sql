-- Returns the words of titles with the number of titles that have them, the commonest first.
SELECT
    t.word AS name,
    count(DISTINCT w.workflow_id) AS workflows
FROM workflow_store.workflows AS w
CROSS JOIN LATERAL regexp_split_to_table(w.title_key, '[^[:alpha:]]+') AS t (word)
WHERE length(t.word) >= 6
GROUP BY t.word
ORDER BY workflows DESC, t.word
