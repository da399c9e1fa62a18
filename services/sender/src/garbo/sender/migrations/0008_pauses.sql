-- What may not be sent for a while, by whom and why; ended pauses stay as the record of who did what
-- (docs/adr/0024-pauses.md). Each source pauses by itself: an operator's pause is not lifted by the platform.
CREATE TABLE sender.pause (
    id       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    scope    text NOT NULL CHECK (scope IN ('account', 'number', 'promo', 'template', 'campaign')),
    name     text NOT NULL,
    source   text NOT NULL CHECK (source IN ('code', 'platform', 'operator')),
    reason   text NOT NULL,
    by       text NOT NULL,
    since    timestamptz NOT NULL,
    -- NULL: until somebody says so.
    until    timestamptz,
    -- A number paused by a code: when one message may look whether it may send again. Who moves it may send one.
    probe_at timestamptz,
    probes   integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    ended_by text,
    -- What is not told yet is told at this instant; NULL: it is told.
    tell_at  timestamptz DEFAULT clock_timestamp(),
    told     boolean NOT NULL DEFAULT false,   -- that it was paused
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX pause_in_force ON sender.pause (scope, name, source) WHERE ended_at IS NULL;
CREATE INDEX pause_ended ON sender.pause (scope, name, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX pause_untold ON sender.pause (tell_at) WHERE tell_at IS NOT NULL;

-- Templates that sell since an instant: care that was granted before is not sent as such.
CREATE TABLE sender.recategorised (
    template text PRIMARY KEY,               -- account:name:language
    told_at  timestamptz NOT NULL,           -- the platform's instant
    before   timestamptz NOT NULL            -- grants from before are refused
);

-- What is parked for a pause, in its order.
CREATE INDEX waiting_paused ON sender.waiting (parked_why, seq)
    WHERE parked_why LIKE 'pause:%' AND parked_until = 'infinity';
