-- Files that messages show, given to Garbo or fetched by it: uploaded to the platform once a number, and sent by its id
-- (docs/adr/0027-sent-media.md). A message waits for them parked, `media`; those of the same person behind it, `order`.
ALTER TABLE sender.waiting
    -- Where files stand in the body, and whence they are; the body holds the platform's ids there once they are known.
    ADD COLUMN media bytea,
    -- The source that is looked for next; NULL: none, or it is about to be refused.
    ADD COLUMN media_next text;
CREATE INDEX waiting_media ON sender.waiting (number, media_next, brand, seq)
    WHERE parked_why = 'media' AND media_next IS NOT NULL;
CREATE INDEX waiting_behind ON sender.waiting (contact_id, number, lane, seq)
    WHERE parked_until = 'infinity' AND parked_why IN ('media', 'order');

-- A brand's files, by their content. The bytes lie in the store.
CREATE TABLE sender.media_file (
    brand      text NOT NULL,
    sha256     text NOT NULL,
    key        text NOT NULL,
    mime_type  text NOT NULL,
    size_bytes bigint NOT NULL,
    animated   boolean NOT NULL,
    kept_until timestamptz NOT NULL,
    PRIMARY KEY (brand, sha256)
);
CREATE INDEX media_file_ends ON sender.media_file (kept_until);

-- What the store holds and no file of ours is, from an instant on: a writer was killed, or it is over. Deleted there first.
CREATE TABLE sender.media_leftover (
    key   text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- What a link led to, by the link's hash.
CREATE TABLE sender.media_link (
    brand      text NOT NULL,
    source     text NOT NULL,
    sha256     text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (brand, source)
);

-- By which id the platform knows a file that a number uploaded.
CREATE TABLE sender.media_upload (
    number      text NOT NULL,
    sha256      text NOT NULL,
    media_id    text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (number, sha256)
);
CREATE INDEX media_upload_id ON sender.media_upload (number, media_id);

-- Fetches and uploads that somebody does, that are to be tried again, or that will not be done.
CREATE TABLE sender.media_work (
    name          text PRIMARY KEY,
    claimed_until timestamptz NOT NULL,
    tries         integer NOT NULL DEFAULT 0,
    -- Why not; it is tried anew after `claimed_until`.
    fault         text
);

DROP FUNCTION sender.take_in(uuid[], int[], text[], text[], uuid[], uuid[], int[], timestamptz[], timestamptz[], timestamptz[],
    text[], text[], text[], text[], text[], text[], bytea[], text[]);
-- As before (0007), and what shows a file is taken in parked.
CREATE FUNCTION sender.take_in(
    message_ids uuid[], shards int[], lanes text[], numbers text[], contact_ids uuid[], grant_ids uuid[], epochs int[],
    not_befores timestamptz[], valid_untils timestamptz[], window_untils timestamptz[], brands text[], campaigns text[],
    templates text[], categories text[], address_kinds text[], addresses text[], bodies bytea[], traceparents text[],
    medias bytea[], media_nexts text[])
RETURNS TABLE (message_id uuid, answer text, seq bigint, parked boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    with_media boolean := cardinality(array_remove(medias, NULL)) > 0;
BEGIN
    RETURN QUERY
    WITH asked AS (
        SELECT a.*, m.message_id IS NOT NULL AND (CASE WHEN m.grant_id = a.grant_id THEN m.epoch > a.epoch
                                                       ELSE m.not_before > a.not_before END) AS newer,
               coalesce(m.state NOT IN ('open', 'dispatching')
                   AND (m.state IN ('accepted', 'unknown') OR m.reason IS NOT DISTINCT FROM 'ambiguous'
                        OR (m.grant_id = a.grant_id AND m.epoch = a.epoch)), false) AS told
          FROM unnest(message_ids, shards, lanes, numbers, contact_ids, grant_ids, epochs, not_befores, valid_untils,
                      window_untils, brands, campaigns, templates, categories, address_kinds, addresses, bodies, traceparents,
                      medias, media_nexts)
               WITH ORDINALITY AS a (message_id, shard, lane, number, contact_id, grant_id, epoch, not_before, valid_until,
                      window_until, brand, campaign, template, category, address_kind, address, body, traceparent, media, media_next, place)
          LEFT JOIN sender.message AS m ON m.message_id = a.message_id),
    taken AS (
        INSERT INTO sender.waiting AS w (message_id, shard, lane, number, contact_id, grant_id, epoch, not_before,
               valid_until, window_until, brand, campaign, template, category, address_kind, address, body, traceparent,
               media, media_next, parked_until, parked_why)
        SELECT a.message_id, a.shard, a.lane, a.number, a.contact_id, a.grant_id, a.epoch, a.not_before, a.valid_until,
               a.window_until, a.brand, a.campaign, a.template, a.category, a.address_kind, a.address, a.body, a.traceparent,
               a.media, a.media_next,
               -- What shows a file waits until the platform has it; what is behind the same person's own that wait, for these.
               CASE WHEN a.media IS NOT NULL THEN 'infinity' WHEN b.person IS NOT NULL THEN 'infinity' ELSE p.parked_until END,
               CASE WHEN a.media IS NOT NULL THEN 'media'
                    WHEN b.person IS NOT NULL OR p.parked_until IS NOT NULL THEN 'order' END
          FROM asked AS a LEFT JOIN LATERAL (
               SELECT max(o.parked_until) AS parked_until FROM sender.waiting AS o
                WHERE o.contact_id = a.contact_id AND o.parked_until IS NOT NULL AND o.number = a.number
                  AND o.lane = a.lane AND o.parked_why IN ('pair', 'order', 'media')) AS p ON true
               -- Those of this very batch are not seen above.
               LEFT JOIN LATERAL (SELECT e.contact_id AS person FROM asked AS e
                WHERE with_media AND e.contact_id = a.contact_id AND e.number = a.number AND e.lane = a.lane AND e.place < a.place
                  AND e.media IS NOT NULL LIMIT 1) AS b ON true
         WHERE NOT a.told AND NOT a.newer ORDER BY a.place
        ON CONFLICT (message_id) DO UPDATE
           SET grant_id = EXCLUDED.grant_id, epoch = EXCLUDED.epoch, lane = EXCLUDED.lane, number = EXCLUDED.number,
               contact_id = EXCLUDED.contact_id, shard = EXCLUDED.shard, not_before = EXCLUDED.not_before,
               valid_until = EXCLUDED.valid_until, window_until = EXCLUDED.window_until, brand = EXCLUDED.brand,
               campaign = EXCLUDED.campaign, template = EXCLUDED.template, category = EXCLUDED.category,
               address_kind = EXCLUDED.address_kind, address = EXCLUDED.address, body = EXCLUDED.body, traceparent = EXCLUDED.traceparent,
               media = EXCLUDED.media, media_next = EXCLUDED.media_next,
               parked_until = CASE WHEN EXCLUDED.media IS NOT NULL THEN 'infinity'
                                   WHEN w.parked_why = 'media' THEN EXCLUDED.parked_until ELSE w.parked_until END,
               parked_why = CASE WHEN EXCLUDED.media IS NOT NULL THEN 'media'
                                 WHEN w.parked_why = 'media' THEN EXCLUDED.parked_why ELSE w.parked_why END
         WHERE CASE WHEN w.grant_id = EXCLUDED.grant_id THEN w.epoch < EXCLUDED.epoch
                    ELSE w.not_before <= EXCLUDED.not_before END
        RETURNING w.message_id, w.seq, w.parked_until IS NOT NULL AS parked)
    SELECT a.message_id, CASE WHEN a.told THEN 'told' WHEN a.newer THEN 'stale' WHEN t.message_id IS NULL THEN 'known'
                              ELSE 'waiting' END, t.seq, t.parked
      FROM asked AS a LEFT JOIN taken AS t ON t.message_id = a.message_id ORDER BY a.place;
END
$$;
