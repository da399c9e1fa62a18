-- One fact per message: what was observed of it, and when. Ids only: no text, no phone, no name.
CREATE TABLE analytics.fact (
    message_id        uuid PRIMARY KEY,
    -- known from several records, the same in all of them
    request_id        uuid,
    client            text,
    contact_id        uuid,
    number            text,
    content_type      text,
    template          text,
    wamid             text,
    code              integer,
    failure           text,
    not_sent_reason   text,
    billed_category   text,
    billing           text,
    -- the earliest instant each state was observed at
    requested_at      timestamptz,
    decided_at        timestamptz,
    deferred_at       timestamptz,
    denied_at         timestamptz,
    granted_at        timestamptz,
    attempted_at      timestamptz,
    unknown_at        timestamptz,
    not_sent_at       timestamptz,
    accepted_at       timestamptz,
    sent_at           timestamptz,
    delivered_at      timestamptz,
    read_at           timestamptz,
    failed_at         timestamptz,
    replied_at        timestamptz,
    opted_out_at      timestamptz,
    reused_at         timestamptz,
    -- the current decision: the record of the highest sequence, as a whole
    sequence          integer NOT NULL,
    version           uuid,
    brand             text,
    purpose           text,
    campaign          text,
    message_class     text,
    category          text,
    lane              text,
    verdict           text,
    final             boolean NOT NULL,
    reason            text,
    rule              text,
    used_count        integer,
    limit_count       integer,
    window_span       text,
    next_allowed_at   timestamptz,
    provisional       boolean NOT NULL,
    demoted           boolean NOT NULL,
    checks            jsonb NOT NULL,
    policy_version    text,
    possible_duplicate boolean NOT NULL,
    begun_at          timestamptz NOT NULL GENERATED ALWAYS AS (
        coalesce(requested_at, decided_at, least(
            attempted_at, unknown_at, not_sent_at, accepted_at, sent_at, delivered_at, read_at,
            failed_at, replied_at, opted_out_at, reused_at))) STORED
) WITH (fillfactor = 80);

CREATE INDEX fact_begun ON analytics.fact (begun_at DESC);
CREATE INDEX fact_verdict_begun ON analytics.fact (verdict, begun_at DESC);
CREATE INDEX fact_request ON analytics.fact (request_id);

-- What customers wrote, counted once.
CREATE TABLE analytics.inbound (
    wamid       text PRIMARY KEY,
    contact_id  uuid,
    kind        text NOT NULL,
    occurred_at timestamptz NOT NULL
);

-- Statuses of messages that are not ours (sent from elsewhere with the same number), counted once.
CREATE TABLE analytics.foreign_status (
    wamid       text NOT NULL,
    status      text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (wamid, status)
);

-- Reactions to promos, counted once.
CREATE TABLE analytics.engagement (
    engagement_id text NOT NULL,
    action        text NOT NULL,
    contact_id    uuid NOT NULL,
    message_id    uuid,
    campaign      text,
    occurred_at   timestamptz NOT NULL,
    PRIMARY KEY (engagement_id, action)
);

-- The live funnel: how many messages begun in a minute reached a step. Changed by the difference a fact makes.
CREATE TABLE analytics.funnel_minute (
    minute timestamptz NOT NULL,
    lane   text NOT NULL,
    step   text NOT NULL,
    detail text NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (minute, lane, step, detail)
) WITH (fillfactor = 50);

-- The same, of all time.
CREATE TABLE analytics.funnel_total (
    lane   text NOT NULL,
    step   text NOT NULL,
    detail text NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (lane, step, detail)
) WITH (fillfactor = 50);
