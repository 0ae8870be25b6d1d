-- Closes what matches. An order and a limit follow, then `close`.
),

page AS (
    SELECT w.workflow_id
    FROM matching AS w
