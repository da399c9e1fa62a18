-- What the platform shows of each template and account, as it is told on garbo.template.observed.v1:
-- the newest record of each key. What a message may be refused by; the category stands in router.template.
CREATE TABLE router.template_observed (
    key         text PRIMARY KEY,
    observed_at timestamptz NOT NULL,
    record      bytea NOT NULL
);
