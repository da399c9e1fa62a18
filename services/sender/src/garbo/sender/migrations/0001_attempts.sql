-- What was sent, and how fast. One row a message, one row an HTTP call, one row a number.

CREATE TABLE sender.message (
    message_id  uuid PRIMARY KEY,
    grant_id    uuid NOT NULL,
    epoch       integer NOT NULL,
    lane        text NOT NULL CHECK (lane IN ('care', 'promo')),
    contact_id  uuid NOT NULL,
    number      text NOT NULL,
    -- open: no result yet. The others are the result of `grant_id`.
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'failed', 'unknown', 'not_sent')),
    attempt_id  text,
    code        integer,
    reason      text,
    recorded_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'open') = (recorded_at IS NULL))
);

CREATE TABLE sender.attempt (
    attempt_id  text PRIMARY KEY,
    message_id  uuid NOT NULL REFERENCES sender.message,
    n           integer NOT NULL CHECK (n >= 1),
    grant_id    uuid NOT NULL,
    epoch       integer NOT NULL,
    state       text NOT NULL DEFAULT 'dispatching'
                CHECK (state IN ('dispatching', 'accepted', 'rejected', 'unknown')),
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    wamid       text,
    code        integer,
    http_status integer,
    reason      text,
    resolved_by text,   -- answer, abandoned, or status:<status>
    traceparent text,
    UNIQUE (message_id, n)
);

-- The database forbids a second live attempt: promo at most once, care never twice by accident.
CREATE UNIQUE INDEX attempt_live ON sender.attempt (message_id)
    WHERE state IN ('dispatching', 'accepted', 'unknown');
CREATE INDEX attempt_dispatching ON sender.attempt (started_at) WHERE state = 'dispatching';
CREATE INDEX attempt_unknown ON sender.attempt (started_at) WHERE state = 'unknown';

-- One lease row a number (GCRA): `tat` is the instant up to which sends are given away.
CREATE TABLE sender.number_rate (
    number   text PRIMARY KEY,
    tat      timestamptz NOT NULL DEFAULT 'epoch',
    -- Sends a second at `rated_at`; it climbs by 0.5 % of the ceiling a second back to the ceiling.
    rate     double precision NOT NULL CHECK (rate > 0),
    rated_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 50);
