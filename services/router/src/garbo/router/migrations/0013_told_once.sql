-- Which inbound messages were told of, and for which Kafka record: the platform may deliver a message again, in another record.
-- Kept for 8 days; the platform tries for 7.
CREATE TABLE router.told (
    message_ref text PRIMARY KEY,   -- hash of its wamid
    record      text NOT NULL,      -- topic/partition/offset
    told_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX told_at ON router.told USING brin (told_at) WITH (pages_per_range = 16, autosummarize = on);

-- Who was erased, by the hash of each address, for as long as something from before may come late: it brings nobody back.
CREATE TABLE router.erased_address (
    address_hash text PRIMARY KEY,
    erased_at    timestamptz NOT NULL
);
