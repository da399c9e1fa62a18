-- The whole engine: tables by day that are dropped and never deleted from, requests that wait, consent as evidence,
-- suppression that outlives a person's row, budgets in slices, and an outbox for what no Kafka record asks for.

SET LOCAL timezone = 'UTC';

-- An installation that has run before keeps what it knows.
ALTER TABLE router.decision RENAME TO decision_before;
ALTER TABLE router.send_grant RENAME TO send_grant_before;
ALTER INDEX router.decision_pkey RENAME TO decision_before_pkey;
ALTER INDEX router.send_grant_pkey RENAME TO send_grant_before_pkey;
DROP INDEX router.send_grant_wamid;

-- A request id is recognised for 30 days and more. Unique within a month; who writes in a month's first minutes
-- writes into the month before as well, so that two writers on both sides of midnight still meet.
CREATE TABLE router.request_seen (
    message_id uuid NOT NULL,
    month      date NOT NULL,
    decided_on date NOT NULL,
    granted_on date,
    PRIMARY KEY (message_id, month)
) PARTITION BY RANGE (month);

-- What was answered to whom: the exact published bytes, one element per sequence. `facts` is what the decision was made
-- from, without address and content: JSON, read by simulations and when a policy changes.
CREATE TABLE router.decision (
    message_id uuid NOT NULL,
    decided_on date NOT NULL,
    client     text NOT NULL,
    request_id uuid NOT NULL,
    body_hash  bytea NOT NULL,
    contact_id uuid,
    records    bytea[] NOT NULL,
    facts      bytea,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, decided_on)
) PARTITION BY RANGE (decided_on);
CREATE INDEX decision_decided_at ON router.decision USING brin (decided_at);

-- The last four hex digits of a grant's id are the day it was given, counted from 2020-01-01.
CREATE FUNCTION router.granted_on(grant_id uuid) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT date '2020-01-01' + ('x' || right(grant_id::text, 4))::bit(16)::int
$$;

CREATE TABLE router.send_grant (
    grant_id      uuid NOT NULL,
    granted_on    date NOT NULL,
    message_id    uuid NOT NULL,
    contact_id    uuid NOT NULL,
    lane          text NOT NULL CHECK (lane IN ('care', 'promo')),
    message_class text NOT NULL,
    brand         text NOT NULL,
    number        text NOT NULL,
    epoch         int NOT NULL DEFAULT 1,
    state         text NOT NULL DEFAULT 'reserved' CHECK (state IN (
        'reserved', 'dispatched', 'unknown', 'accepted', 'delivered', 'failed', 'refunded', 'released', 'revoked')),
    not_before    timestamptz NOT NULL,
    valid_until   timestamptz NOT NULL,
    window_until  timestamptz,
    campaign      text,
    category      text,
    tags          text[] NOT NULL DEFAULT '{}',
    by_fallback   boolean NOT NULL DEFAULT false,
    wamid         text,
    policy_version text NOT NULL DEFAULT '',
    budget_slices bigint[] NOT NULL DEFAULT '{}',   -- what it took one from each of
    request       bytea,                            -- the request itself, until the grant is settled
    PRIMARY KEY (grant_id, granted_on)
) PARTITION BY RANGE (granted_on);
CREATE INDEX send_grant_wamid ON router.send_grant (wamid) WHERE wamid IS NOT NULL;
-- Leases end in about the order they are given: a block range finds the ended ones and costs an update nothing.
CREATE INDEX send_grant_valid_until ON router.send_grant USING brin (valid_until)
    WITH (pages_per_range = 16, autosummarize = on);

-- Makes what is missing, from the day before yesterday to `days` ahead. Idempotent; returns how many it made.
CREATE FUNCTION router.make_partitions(days int, since date DEFAULT current_date - 2) RETURNS int
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    made int := 0; day date; parent text; first_day date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('router.partitions'));
    FOR day IN SELECT d::date FROM generate_series(since, current_date + days, interval '1 day') AS d LOOP
        FOREACH parent IN ARRAY ARRAY['decision', 'send_grant'] LOOP
            IF to_regclass(format('router.%I', parent || to_char(day, '_YYYYMMDD'))) IS NULL THEN
                EXECUTE format('CREATE TABLE router.%I PARTITION OF router.%I FOR VALUES FROM (%L) TO (%L)',
                    parent || to_char(day, '_YYYYMMDD'), parent, day, day + 1);
                IF parent = 'send_grant' THEN
                    EXECUTE format('ALTER TABLE router.%I SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)',
                        parent || to_char(day, '_YYYYMMDD'));
                END IF;
                made := made + 1;
            END IF;
        END LOOP;
        first_day := date_trunc('month', day)::date;
        IF to_regclass(format('router.%I', 'request_seen' || to_char(first_day, '_YYYYMM'))) IS NULL THEN
            EXECUTE format('CREATE TABLE router.%I PARTITION OF router.request_seen FOR VALUES FROM (%L) TO (%L)',
                'request_seen' || to_char(first_day, '_YYYYMM'), first_day, (first_day + interval '1 month')::date);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;

-- Drops the days (of decisions and grants) and the months (of seen ids) that ended before `keep_days` ago. Returns their names.
CREATE FUNCTION router.drop_partitions(keep_days int) RETURNS SETOF text
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    part record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('router.partitions'));
    FOR part IN
        SELECT c.relname AS name, p.relname AS parent,
               to_date(substring(c.relname FROM '[0-9]+$'),
                       CASE p.relname WHEN 'request_seen' THEN 'YYYYMM' ELSE 'YYYYMMDD' END) AS first_day
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class p ON p.oid = i.inhparent
        JOIN pg_namespace n ON n.oid = p.relnamespace AND n.nspname = 'router'
        WHERE p.relname IN ('decision', 'send_grant', 'request_seen')
    LOOP
        IF (CASE part.parent WHEN 'request_seen' THEN (part.first_day + interval '1 month')::date
                             ELSE part.first_day + 1 END) <= current_date - keep_days THEN
            EXECUTE format('DROP TABLE router.%I', part.name);
            RETURN NEXT part.name;
        END IF;
    END LOOP;
END
$$;

SELECT router.make_partitions(7, least(
    current_date - 2,
    coalesce((SELECT min(decided_at)::date FROM router.decision_before), current_date),
    coalesce((SELECT min(not_before)::date FROM router.send_grant_before), current_date)));

INSERT INTO router.decision
SELECT message_id, decided_at::date, client, request_id, body_hash, contact_id, records, NULL, decided_at
FROM router.decision_before;
-- Ids of grants given before now name no day: they get a new one, and whoever holds the old one is told it is unknown.
INSERT INTO router.send_grant (grant_id, granted_on, message_id, contact_id, lane, message_class, brand, number, epoch,
    state, not_before, valid_until, window_until, campaign, category, tags, by_fallback, wamid)
SELECT (left(grant_id::text, 32) || lpad(to_hex(not_before::date - date '2020-01-01'), 4, '0'))::uuid, not_before::date,
    message_id, contact_id, lane, message_class, brand, number, epoch, state, not_before, valid_until, window_until,
    campaign, category, tags, by_fallback, wamid
FROM router.send_grant_before;
INSERT INTO router.request_seen (message_id, month, decided_on, granted_on)
SELECT d.message_id, date_trunc('month', d.decided_on)::date, d.decided_on, g.granted_on
FROM router.decision d LEFT JOIN router.send_grant g USING (message_id);
DROP TABLE router.decision_before;
DROP TABLE router.send_grant_before;

-- Requests that wait. Written and removed under the lock of the recipient's state row, so that row decides here as well.
CREATE TABLE router.deferred (
    message_id       uuid PRIMARY KEY,
    contact_id       uuid NOT NULL,
    due_at           timestamptz NOT NULL,   -- when it is looked at again: free_at, spread
    free_at          timestamptz NOT NULL,   -- the least instant every rule permits, as far as one knew
    first_decided_at timestamptz NOT NULL,
    expires_at       timestamptz,
    brand            text NOT NULL,
    campaign         text,
    priority         int NOT NULL,
    reason           text NOT NULL,
    request          bytea NOT NULL,         -- the request as it came
    trace            text
);
CREATE INDEX deferred_due ON router.deferred (due_at);
CREATE INDEX deferred_contact ON router.deferred (contact_id);
CREATE INDEX deferred_campaign ON router.deferred (brand, campaign) WHERE campaign IS NOT NULL;

-- Records that nothing in Kafka asks for (wakes, ended leases, campaigns called off): written with the change, deleted once acknowledged.
CREATE TABLE router.outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text NOT NULL,
    key        text NOT NULL,
    value      bytea NOT NULL,
    trace      text,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Consent as evidence: append only. The state row holds what follows from it.
CREATE TABLE router.consent_record (
    consent_id   uuid PRIMARY KEY,
    contact_id   uuid,                       -- null once the person was erased and the proof must stay
    brand        text NOT NULL,
    number       text,
    channel      text NOT NULL,
    purpose      text NOT NULL,
    action       text NOT NULL CHECK (action IN ('requested', 'given', 'confirmed', 'withdrawn', 'expired', 'imported')),
    source       text NOT NULL,
    text_version text,
    text_hash    text,
    locale       text,
    evidence     text,
    actor        text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL
);
CREATE INDEX consent_record_contact ON router.consent_record (contact_id);

-- Who must not be promoted to, by the hash of the address alone: it outlives the contact, and meets it again on re-import.
CREATE TABLE router.suppression (
    address_hash text NOT NULL,
    brand        text NOT NULL,              -- or '*'
    since        timestamptz NOT NULL,
    source       text NOT NULL,
    imported_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (address_hash, brand)
);

-- Campaigns that were called off.
CREATE TABLE router.campaign (
    brand        text NOT NULL,
    campaign     text NOT NULL,
    cancelled_at timestamptz NOT NULL,
    swept        boolean NOT NULL DEFAULT false,  -- its grants and waiting requests are gone
    PRIMARY KEY (brand, campaign)
);

-- Sends of campaigns with a lifetime cap: the state row forgets, this does not.
CREATE TABLE router.campaign_send (
    contact_id uuid NOT NULL,
    campaign   text NOT NULL,
    message_id uuid NOT NULL,
    send       bytea NOT NULL,               -- as in the state row
    PRIMARY KEY (contact_id, campaign, message_id)
);

-- Totals over all people. taken = what was leased to slices; a slice's owner counts its use in the transaction of the grant.
CREATE TABLE router.budget (
    rule   text NOT NULL,
    scope  text NOT NULL,                    -- campaign, brand, or '*'
    period date NOT NULL,                    -- first day of the window; 1970-01-01 for a lifetime
    taken  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (rule, scope, period)
) WITH (fillfactor = 50);
CREATE TABLE router.budget_slice (
    slice_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule       text NOT NULL,
    scope      text NOT NULL,
    period     date NOT NULL,
    size       bigint NOT NULL,
    used       bigint NOT NULL DEFAULT 0,
    owner      uuid NOT NULL,
    held_until timestamptz NOT NULL          -- after this anybody returns what was not used
) WITH (fillfactor = 50);

-- Each policy that was ever in force, as it was written.
CREATE TABLE router.policy (
    version      text PRIMARY KEY,
    body         text NOT NULL,
    activated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE router.contact ADD COLUMN merged_into uuid;
-- Brands (and `brand/number`) whose promos this person has stopped, written with the state: what `claim_grants` asks.
ALTER TABLE router.recipient_state ADD COLUMN promo_blocked text[] NOT NULL DEFAULT '{}';
UPDATE router.recipient_state r SET promo_blocked = coalesce((
    SELECT array_agg(key) FROM jsonb_each(r.state -> 'stops')
    WHERE (value ->> 'stopped_at')::bigint >= coalesce((value ->> 'started_at')::bigint, 0)), '{}')
WHERE r.state ? 'stops';
-- The state is JSON still, but bytes to PostgreSQL: it is never searched, and reading it as jsonb costs each update.
DROP VIEW router.counted_send;
ALTER TABLE router.recipient_state ALTER COLUMN state DROP DEFAULT;
ALTER TABLE router.recipient_state ALTER COLUMN state TYPE bytea USING convert_to(state::text, 'UTF8');
ALTER TABLE router.recipient_state ALTER COLUMN state SET DEFAULT '{}'::bytea;
ALTER TABLE router.recipient_state ALTER COLUMN state SET STORAGE MAIN;
ALTER TABLE router.recipient_state SET (toast_tuple_target = 8160);
CREATE VIEW router.counted_send AS
SELECT r.contact_id, (send ->> 'id')::uuid AS message_id, send ->> 'class' AS message_class,
       send ->> 'brand' AS brand, send ->> 'campaign' AS campaign, coalesce((send ->> 'open')::boolean, false) AS open,
       to_timestamp((send ->> 'at')::bigint / 1e6) AS counts_at
FROM router.recipient_state r, jsonb_array_elements(convert_from(r.state, 'UTF8')::jsonb -> 'sends') AS send;

CREATE OR REPLACE FUNCTION router.claim_grants(grant_ids uuid[], epochs int[])
RETURNS TABLE (grant_id uuid, claimed boolean, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    days date[] := ARRAY(SELECT DISTINCT router.granted_on(id) FROM unnest(grant_ids) AS id);
BEGIN
    PERFORM 1 FROM router.send_grant g
    WHERE g.grant_id = ANY (grant_ids) AND g.granted_on = ANY (days) ORDER BY g.grant_id FOR UPDATE;
    RETURN QUERY
    WITH asked AS (
        SELECT a.id, a.epoch, a.place, row_number() OVER (PARTITION BY a.id ORDER BY a.place) AS turn
        FROM unnest(grant_ids, epochs) WITH ORDINALITY AS a(id, epoch, place)
    ), known AS MATERIALIZED (
        SELECT * FROM router.send_grant g WHERE g.grant_id = ANY (grant_ids) AND g.granted_on = ANY (days)
    ), judged AS MATERIALIZED (
        SELECT asked.id, asked.place, CASE
            WHEN g.grant_id IS NULL THEN 'unknown_grant'
            WHEN g.epoch IS DISTINCT FROM asked.epoch THEN 'stale_epoch'
            WHEN g.state = 'revoked' THEN 'revoked'
            WHEN g.state = 'released' THEN 'lease_expired'
            WHEN g.state = 'dispatched' AND g.message_class = 'promo' AND EXISTS (
                SELECT 1 FROM router.recipient_state r
                WHERE r.contact_id = g.contact_id
                  AND r.promo_blocked && ARRAY['*', g.brand, g.brand || '/' || g.number]
            ) THEN 'revoked'
            WHEN g.campaign IS NOT NULL AND g.state IN ('reserved', 'dispatched') AND EXISTS (
                SELECT 1 FROM router.campaign c WHERE c.brand = g.brand AND c.campaign = g.campaign
            ) THEN 'revoked'
            WHEN g.state <> 'reserved' OR asked.turn > 1 THEN 'already_dispatched'
            WHEN clock_timestamp() >= g.valid_until THEN 'lease_expired'
            ELSE 'claimed' END AS reason
        FROM asked LEFT JOIN known g ON g.grant_id = asked.id
    ), taken AS (
        UPDATE router.send_grant g SET state = 'dispatched'
        FROM judged
        WHERE judged.reason = 'claimed' AND g.grant_id = judged.id AND g.granted_on = router.granted_on(judged.id)
          AND g.granted_on = ANY (days)
    )
    SELECT judged.id, judged.reason = 'claimed', judged.reason FROM judged ORDER BY judged.place;
END
$$;
