-- What the current decision says of waiting, and of rules that were passed over.
ALTER TABLE analytics.fact
    ADD COLUMN current_at   timestamptz,
    ADD COLUMN then_rule    text,
    ADD COLUMN due_at       timestamptz,
    ADD COLUMN expires_at   timestamptz,
    ADD COLUMN reclassified boolean NOT NULL DEFAULT false,
    ADD COLUMN overridden   text[] NOT NULL DEFAULT '{}';
