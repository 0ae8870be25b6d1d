-- Keeps only those whose content is stored, or only those whose is not.
-- $1 layer3_success bool
AND w.layer3_success = $1
