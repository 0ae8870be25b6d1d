-- Keeps only those whose structure is stored, or only those whose is not.
-- $1 layer2_success bool
AND w.layer2_success = $1
