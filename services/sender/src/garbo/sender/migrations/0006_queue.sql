-- What may be sent, from the moment its grant is read until its result is told: Kafka's batch is finished at once, and
-- nobody waits for somebody else's trouble (docs/adr/0022-queue.md).
CREATE TABLE sender.waiting (
    message_id   uuid PRIMARY KEY,
    -- The order in which grants were read.
    seq          bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- The partition it was read from: whoever is given that partition sends it.
    shard        integer NOT NULL,
    lane         text NOT NULL CHECK (lane IN ('care', 'promo')),
    number       text NOT NULL,
    contact_id   uuid NOT NULL,
    grant_id     uuid NOT NULL,
    epoch        integer NOT NULL,
    not_before   timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL,
    window_until timestamptz,
    brand        text NOT NULL,
    campaign     text,
    -- name and language, `order_shipped/it`; absent: free-form.
    template     text,
    category     text,
    address_kind text NOT NULL CHECK (address_kind IN ('phone', 'user_id', 'group_id')),
    address      text NOT NULL,
    -- What is posted, but for the attempt's id.
    body         bytea NOT NULL,
    traceparent  text,
    -- Not looked at before; what stands in the way is `parked_why`.
    parked_until timestamptz,
    parked_why   text,
    -- Where files stand in the body, and whence they are; the body holds the platform's ids there once they are known.
    media        bytea,
    -- The source that is looked for next; NULL: none, or it is about to be refused.
    media_next   text,
    CHECK ((parked_until IS NULL) = (parked_why IS NULL))
);
CREATE INDEX waiting_line ON sender.waiting (number, lane, seq) WHERE parked_until IS NULL;
CREATE INDEX waiting_parked ON sender.waiting (parked_until) WHERE parked_until IS NOT NULL;
CREATE INDEX waiting_parked_contact ON sender.waiting (contact_id) WHERE parked_until IS NOT NULL;
CREATE INDEX waiting_valid ON sender.waiting (valid_until);

-- A message and its newest attempt are one row: what was two inserts and two updates is one of each.
ALTER TABLE sender.message DROP CONSTRAINT message_state_check, DROP CONSTRAINT message_check;
ALTER TABLE sender.message
    ADD COLUMN n integer NOT NULL DEFAULT 0,
    -- Attempts under this very grant: from the second on its claim is ours already.
    ADD COLUMN grant_n integer NOT NULL DEFAULT 0,
    -- Sent once more although the one before may have arrived.
    ADD COLUMN resent_count integer NOT NULL DEFAULT 0,
    ADD COLUMN started_at timestamptz,
    ADD COLUMN finished_at timestamptz,
    ADD COLUMN platform_message_ref text,
    ADD COLUMN http_status integer,
    ADD COLUMN resolved_by text,   -- answer, abandoned, or status:<status>
    ADD COLUMN traceparent text;
UPDATE sender.message AS m
   SET n = a.n, grant_n = a.n, started_at = a.started_at, finished_at = a.finished_at,
       platform_message_ref = a.platform_message_ref, http_status = a.http_status, resolved_by = a.resolved_by,
       traceparent = a.traceparent,
       state = CASE a.state WHEN 'dispatching' THEN 'unknown' WHEN 'unknown' THEN 'unknown' ELSE m.state END,
       reason = CASE a.state WHEN 'dispatching' THEN 'interrupted' ELSE m.reason END,
       recorded_at = CASE a.state WHEN 'dispatching' THEN clock_timestamp() ELSE m.recorded_at END
  FROM sender.attempt AS a
 WHERE a.message_id = m.message_id AND NOT EXISTS (
       SELECT 1 FROM sender.attempt AS later WHERE later.message_id = a.message_id AND later.n > a.n);
ALTER TABLE sender.message
    -- open: no attempt is under way, none decided it. dispatching: an attempt is. The others are results.
    ADD CHECK (state IN ('open', 'dispatching', 'accepted', 'failed', 'unknown', 'not_sent')),
    ADD CHECK ((state IN ('open', 'dispatching')) = (recorded_at IS NULL)),
    DROP COLUMN attempt_id,
    SET (fillfactor = 80);
CREATE INDEX message_undecided ON sender.message (started_at) WHERE state IN ('dispatching', 'unknown');

-- Attempts that another one followed: one row an HTTP call.
CREATE TABLE sender.former_attempt (
    message_id  uuid NOT NULL,
    n           integer NOT NULL,
    -- rejected: not sent. unknown: perhaps. accepted: a status said so later, beside the one that followed.
    state       text NOT NULL CHECK (state IN ('rejected', 'unknown', 'accepted', 'failed')),
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    code        integer,
    http_status integer,
    reason      text,
    PRIMARY KEY (message_id, n)
);
INSERT INTO sender.former_attempt (message_id, n, state, started_at, finished_at, code, http_status, reason)
SELECT a.message_id, a.n, CASE WHEN a.state = 'dispatching' THEN 'unknown' ELSE a.state END,
       a.started_at, a.finished_at, a.code, a.http_status, a.reason
  FROM sender.attempt AS a JOIN sender.message AS m USING (message_id) WHERE a.n < m.n OR m.state IN ('open', 'not_sent');
DROP TABLE sender.attempt;

-- A number that was too fast rests everywhere.
ALTER TABLE sender.number_rate
    ADD COLUMN rests_until timestamptz NOT NULL DEFAULT 'epoch',
    -- The process that had the last lease: who sends alone may be later than who shares it (garbo.sender.domain.pacing).
    ADD COLUMN holder uuid,
    -- All leases since then were this one's.
    ADD COLUMN held_since timestamptz NOT NULL DEFAULT 'infinity';
