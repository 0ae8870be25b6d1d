-- Keeps only those whose metadata is stored, or only those whose is not.
-- $1 layer1_success bool
AND w.layer1_success = $1
