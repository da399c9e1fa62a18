-- Files that customers sent, of brands that keep them (docs/adr/0025-media-store.md). The key is written down before the
-- first byte: whatever a killed process left in the store is found by it. A row outlives its file, so that a message that is
-- read again is not fetched again.
CREATE TABLE sender.incoming_file (
    message_ref     text PRIMARY KEY,       -- ce_id of the message
    contact_id      uuid NOT NULL,
    brand           text NOT NULL,
    number          text NOT NULL,
    kind            text NOT NULL,
    mime_type       text NOT NULL,          -- as declared
    media_id        text,                   -- the platform's, until it has ended
    declared_sha256 text,
    key             text NOT NULL,
    occurred_at     timestamptz NOT NULL,
    trace           text,
    -- doomed: to be deleted from the store; deleted: it is.
    state           text NOT NULL DEFAULT 'wanted'
                    CHECK (state IN ('wanted', 'stored', 'refused', 'gone', 'doomed', 'deleted')),
    tries           integer NOT NULL DEFAULT 0,
    -- wanted: when it is tried next, claimed or not. doomed: when it is deleted.
    next_at         timestamptz DEFAULT clock_timestamp(),
    claim           uuid,
    claimed_until   timestamptz,            -- whoever holds the claim may write to the store until then
    reason          text,
    size_bytes      bigint,
    sha256          text,
    ended_at        timestamptz,
    keep_until      timestamptz,
    tell_at         timestamptz             -- what is not told yet is told at this instant
);
CREATE INDEX incoming_file_wanted ON sender.incoming_file (next_at) WHERE state = 'wanted';
CREATE INDEX incoming_file_doomed ON sender.incoming_file (next_at) WHERE state = 'doomed';
CREATE INDEX incoming_file_stored ON sender.incoming_file (keep_until) WHERE state = 'stored';
CREATE INDEX incoming_file_untold ON sender.incoming_file (tell_at) WHERE tell_at IS NOT NULL;
CREATE INDEX incoming_file_ended ON sender.incoming_file (ended_at)
    WHERE state IN ('refused', 'gone', 'deleted');
CREATE INDEX incoming_file_contact ON sender.incoming_file (contact_id);
