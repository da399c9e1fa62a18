-- Who was erased, for as long as records of before may still come. Their rows are found by their contact id, and what is
-- past its keep by when it was written.
CREATE TABLE sender.erased (
    contact_id uuid PRIMARY KEY,
    erased_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX message_contact ON sender.message (contact_id);
CREATE INDEX message_created ON sender.message USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);
