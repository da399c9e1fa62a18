-- Contacts and their state, decisions as published, grants and the one door through which they are claimed.

CREATE TABLE router.contact (
    contact_id uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('person', 'group')),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- How a contact is reached. The address itself stands here and nowhere else.
CREATE TABLE router.alias (
    address_hash text PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('phone', 'user_id', 'group_id')),
    value        text NOT NULL,
    contact_id   uuid NOT NULL
);
CREATE INDEX alias_contact ON router.alias (contact_id);

-- One row per recipient: the lock, and the truth for deciding. Updated in place (HOT), so room is left.
CREATE TABLE router.recipient_state (
    contact_id uuid PRIMARY KEY,
    version    bigint NOT NULL DEFAULT 0,
    state      jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- What was answered to whom: the exact published bytes, one element per sequence.
CREATE TABLE router.decision (
    message_id uuid PRIMARY KEY,
    client     text NOT NULL,
    request_id uuid NOT NULL,
    body_hash  bytea NOT NULL,
    contact_id uuid,
    records    bytea[] NOT NULL,
    decided_at timestamptz NOT NULL
);

CREATE TABLE router.send_grant (
    grant_id      uuid PRIMARY KEY,
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
    wamid         text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX send_grant_wamid ON router.send_grant (wamid) WHERE wamid IS NOT NULL;

-- Templates as the platform last described them. waba '*' is the business file's word for all accounts.
CREATE TABLE router.template (
    waba       text NOT NULL,
    name       text NOT NULL,
    language   text NOT NULL,
    category   text,
    next_category    text,
    next_category_at timestamptz,
    status     text,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (waba, name, language)
);
-- Raised with every change of a template, so that a process can tell whether its copy is current.
CREATE TABLE router.template_version (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), version bigint NOT NULL);
INSERT INTO router.template_version (version) VALUES (1);

-- The one door between two schemas. The sender calls it in the transaction that writes its attempts:
-- a grant is claimed once, while it is valid and under its newest epoch; after a revocation, never.
-- Answers one row per element asked. Rows are locked in sorted order, so two callers never deadlock.
CREATE FUNCTION router.claim_grants(grant_ids uuid[], epochs int[])
RETURNS TABLE (grant_id uuid, claimed boolean, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM router.send_grant g WHERE g.grant_id = ANY (grant_ids) ORDER BY g.grant_id FOR UPDATE;
    RETURN QUERY
    WITH asked AS (
        SELECT a.id, a.epoch, a.place, row_number() OVER (PARTITION BY a.id ORDER BY a.place) AS turn
        FROM unnest(grant_ids, epochs) WITH ORDINALITY AS a(id, epoch, place)
    ), judged AS MATERIALIZED (
        SELECT asked.id, asked.place, CASE
            WHEN g.grant_id IS NULL THEN 'unknown_grant'
            WHEN g.epoch IS DISTINCT FROM asked.epoch THEN 'stale_epoch'
            WHEN g.state = 'revoked' THEN 'revoked'
            WHEN g.state = 'released' THEN 'lease_expired'
            WHEN g.state <> 'reserved' OR asked.turn > 1 THEN 'already_dispatched'
            WHEN clock_timestamp() >= g.valid_until THEN 'lease_expired'
            ELSE 'claimed' END AS reason
        FROM asked LEFT JOIN router.send_grant g ON g.grant_id = asked.id
    ), taken AS (
        UPDATE router.send_grant g SET state = 'dispatched'
        FROM judged WHERE judged.reason = 'claimed' AND g.grant_id = judged.id
    )
    SELECT judged.id, judged.reason = 'claimed', judged.reason FROM judged ORDER BY judged.place;
END
$$;

-- For people with psql: which sends count for whom, and until when they are open.
CREATE VIEW router.counted_send AS
SELECT r.contact_id, (send ->> 'id')::uuid AS message_id, send ->> 'class' AS message_class,
       send ->> 'brand' AS brand, send ->> 'campaign' AS campaign, coalesce((send ->> 'open')::boolean, false) AS open,
       to_timestamp((send ->> 'at')::bigint / 1e6) AS counts_at
FROM router.recipient_state r, jsonb_array_elements(r.state -> 'sends') AS send;
