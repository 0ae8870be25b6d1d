-- depends: 0007_quarantine_origin
-- The hash of a record as it was given last, and the updated_at of its workflow when the store held just that: what is
-- given again is known by the two, while nothing was changed since.

ALTER TABLE workflow_store.workflow_scrape
    ADD COLUMN given_hash bytea,
    ADD COLUMN given_at timestamptz;
