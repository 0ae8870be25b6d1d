-- How long the session waits for a lock before it leaves a table alone: nobody stands behind it for longer.
SET lock_timeout = '5s'
