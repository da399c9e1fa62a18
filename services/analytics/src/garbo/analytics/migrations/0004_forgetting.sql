-- Who was erased, for as long as records of before may still come; and indexes to find what is to be forgotten.
CREATE TABLE analytics.erased (
    contact_id uuid PRIMARY KEY,
    erased_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX fact_contact ON analytics.fact (contact_id);
CREATE INDEX inbound_contact ON analytics.inbound (contact_id);
CREATE INDEX engagement_contact ON analytics.engagement (contact_id);
CREATE INDEX inbound_occurred ON analytics.inbound USING brin (occurred_at);
CREATE INDEX foreign_status_occurred ON analytics.foreign_status USING brin (occurred_at);
CREATE INDEX engagement_occurred ON analytics.engagement USING brin (occurred_at);
