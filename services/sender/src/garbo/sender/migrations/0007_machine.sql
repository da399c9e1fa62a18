-- The machine of attempts, one statement a step. A message's row is the lock of its attempts: there is one of them at a
-- time, and it is committed before its first byte leaves.
--
--            begin                 record                      settle (a status)
--   (none) ---------> dispatching --------> accepted failed <--------- dispatching unknown
--   open   ------------^  |  ^  `---------> unknown ------------------> begin again: care, parked until its time
--     ^                   |  |
--     `------- open <-----'  `-- not_sent failed (of an older grant)
--
-- Whoever writes several rows locks them in the order of their keys, messages before what waits: else two of them may wait
-- for each other, a second long, until the server ends one. A function takes its locks of a table in one pass: what it
-- inserts and what it finds there, together.

-- Takes grants in; the same again changes nothing. Gives for each what is to be done with it:
--   waiting: it is in the queue. told: it has a result, publish that again. stale: a newer grant speaks for the message.
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
    -- The order in which they were read; they are written in the order of ids.
    seqs       bigint[] := ARRAY(SELECT nextval('sender.waiting_seq_seq') FROM unnest(message_ids));
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
        INSERT INTO sender.waiting AS w (message_id, seq, shard, lane, number, contact_id, grant_id, epoch, not_before,
               valid_until, window_until, brand, campaign, template, category, address_kind, address, body, traceparent,
               media, media_next, parked_until, parked_why)
        OVERRIDING SYSTEM VALUE
        SELECT a.message_id, seqs[a.place], a.shard, a.lane, a.number, a.contact_id, a.grant_id, a.epoch, a.not_before, a.valid_until,
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
         WHERE NOT a.told AND NOT a.newer ORDER BY a.message_id
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

-- What may have arrived and is followed by another one stays known, as it was.
CREATE FUNCTION sender.keep_former() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sender.former_attempt (message_id, n, state, started_at, finished_at, code, http_status, reason)
    VALUES (OLD.message_id, OLD.n, 'unknown', OLD.started_at, OLD.finished_at, OLD.code, OLD.http_status, OLD.reason)
    ON CONFLICT DO NOTHING;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_former BEFORE UPDATE ON sender.message FOR EACH ROW
    WHEN (OLD.state = 'unknown' AND NEW.state = 'dispatching') EXECUTE FUNCTION sender.keep_former();

-- Claims and writes attempts from one number in one lane, no two of one person. Once it is committed the bytes may leave.
--   begun. refused: its result is written. too_soon: this person has been sent too much lately, wait `after_s`.
--   elsewhere: somebody else has it in hand, it is decided, or a newer grant speaks for the message.
CREATE FUNCTION sender.begin_attempts(
    from_number text, in_lane text, message_ids uuid[], grant_ids uuid[], epochs int[], contact_ids uuid[], to_groups boolean[],
    not_befores timestamptz[], valid_untils timestamptz[], traceparents text[],
    burst int, every_us bigint, most_ahead_us bigint, leaves_us bigint, most_resends int, resend_after interval)
RETURNS TABLE (message_id uuid, answer text, n int, resent_count int, after_s float8)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    now_us bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + leaves_us;
    free   uuid[];      -- people who may be sent something now
    alive  uuid[];      -- messages whose lease has not ended: only these are sent once more
    mine   uuid[];      -- messages whose row is ours, in order, and what belongs to each
    claims uuid[];
    tries  int[];
    since  int[];
    ages   int[];
    until  timestamptz[];
    no     text[];
BEGIN
    WITH taken AS (
        INSERT INTO sender.pair_rate AS p (number, contact_id, tat_us)
        SELECT from_number, a.contact_id, now_us + every_us
          FROM unnest(contact_ids, to_groups) AS a (contact_id, to_group) WHERE NOT a.to_group ORDER BY a.contact_id
        -- What is further ahead than may be borrowed is left from before the clock stepped back: all is borrowed then.
        ON CONFLICT (number, contact_id) DO UPDATE
           SET tat_us = least(greatest(p.tat_us, now_us) + every_us, now_us + most_ahead_us)
         WHERE p.tat_us - now_us <= (burst - 1) * every_us OR p.tat_us - now_us > most_ahead_us
        RETURNING p.contact_id)
    SELECT coalesce(array_agg(contact_id), '{}') INTO free FROM taken;

    IF in_lane = 'care' THEN
        SELECT array_agg(a.message_id) INTO alive
          FROM unnest(message_ids, valid_untils) AS a (message_id, valid_until) WHERE a.valid_until > clock_timestamp();
    END IF;

    WITH asked AS (
        SELECT * FROM unnest(message_ids, grant_ids, epochs, contact_ids, to_groups, not_befores, valid_untils, traceparents)
            AS a (message_id, grant_id, epoch, contact_id, to_group, not_before, valid_until, traceparent)),
    begun AS (
        INSERT INTO sender.message AS m (message_id, grant_id, epoch, lane, contact_id, number, not_before, state, n, grant_n,
               started_at, traceparent)
        SELECT a.message_id, a.grant_id, a.epoch, in_lane, a.contact_id, from_number, a.not_before, 'dispatching', 1, 1,
               clock_timestamp(), a.traceparent
          FROM asked AS a WHERE a.to_group OR a.contact_id = ANY (free) ORDER BY a.message_id
        ON CONFLICT (message_id) DO UPDATE
           SET grant_id = EXCLUDED.grant_id, epoch = EXCLUDED.epoch, lane = EXCLUDED.lane, contact_id = EXCLUDED.contact_id,
               number = EXCLUDED.number, not_before = EXCLUDED.not_before, state = 'dispatching', n = m.n + 1,
               grant_n = CASE WHEN m.grant_id = EXCLUDED.grant_id AND m.epoch = EXCLUDED.epoch THEN m.grant_n + 1 ELSE 1 END,
               resent_count = m.resent_count + (m.state = 'unknown')::int,
               started_at = clock_timestamp(), finished_at = NULL, platform_message_ref = NULL, code = NULL,
               http_status = NULL, reason = NULL, resolved_by = NULL, recorded_at = NULL, traceparent = EXCLUDED.traceparent
         WHERE CASE m.state
               WHEN 'open' THEN true
               WHEN 'failed' THEN m.reason IS DISTINCT FROM 'ambiguous' AND (m.grant_id, m.epoch) <> (EXCLUDED.grant_id, EXCLUDED.epoch)
               WHEN 'not_sent' THEN (m.grant_id, m.epoch) <> (EXCLUDED.grant_id, EXCLUDED.epoch)
               WHEN 'unknown' THEN in_lane = 'care' AND m.resent_count < most_resends
                    AND (m.grant_id, m.epoch) = (EXCLUDED.grant_id, EXCLUDED.epoch) AND m.message_id = ANY (alive)
                    AND m.started_at < clock_timestamp() - resend_after
               ELSE false END
           AND CASE WHEN m.grant_id = EXCLUDED.grant_id THEN m.epoch <= EXCLUDED.epoch
                    ELSE m.not_before <= EXCLUDED.not_before END
        RETURNING m.message_id, m.grant_id, m.epoch, m.n, m.grant_n, m.resent_count)
    SELECT array_agg(b.message_id ORDER BY b.message_id), array_agg(b.grant_id ORDER BY b.message_id),
           array_agg(b.n ORDER BY b.message_id), array_agg(b.grant_n ORDER BY b.message_id),
           array_agg(b.epoch ORDER BY b.message_id), array_agg(a.valid_until ORDER BY b.message_id)
      INTO mine, claims, tries, since, ages, until
      FROM begun AS b JOIN asked AS a ON a.message_id = b.message_id;

    IF mine IS NOT NULL THEN
        SELECT array_agg(CASE
               WHEN c.claimed THEN NULL
               WHEN c.reason <> 'already_dispatched' THEN c.reason
               WHEN since[c.place] = 1 THEN 'unknown_grant'   -- claimed, yet nobody has written an attempt: it is nobody's
               WHEN clock_timestamp() >= until[c.place] THEN 'lease_expired' END ORDER BY c.place)
          INTO no FROM router.claim_grants(claims, ages, mine) WITH ORDINALITY AS c (grant_id, claimed, reason, place);
        IF cardinality(array_remove(no, NULL)) > 0 THEN
            UPDATE sender.message AS m
               SET state = CASE WHEN r.unclear THEN 'unknown' ELSE 'not_sent' END, reason = r.reason,
                   started_at = CASE WHEN r.unclear THEN m.started_at END, recorded_at = clock_timestamp()
              FROM (SELECT u.*, EXISTS (SELECT 1 FROM sender.former_attempt AS f
                                         WHERE f.message_id = u.message_id AND f.state = 'unknown') AS unclear
                      FROM unnest(mine, no) AS u (message_id, reason)) AS r
             WHERE m.message_id = r.message_id AND r.reason IS NOT NULL;
        END IF;
    END IF;

    RETURN QUERY
    SELECT a.message_id, CASE WHEN b.message_id IS NOT NULL THEN CASE WHEN b.no IS NULL THEN 'begun' ELSE 'refused' END
                              WHEN NOT a.to_group AND a.contact_id <> ALL (free) THEN 'too_soon'
                              ELSE 'elsewhere' END,
           b.n, m.resent_count, (p.tat_us - (burst - 1) * every_us - now_us) / 1000000.0::float8
      FROM unnest(message_ids, contact_ids, to_groups) WITH ORDINALITY AS a (message_id, contact_id, to_group, place)
      LEFT JOIN unnest(mine, tries, no) AS b (message_id, n, no) ON b.message_id = a.message_id
      LEFT JOIN sender.message AS m ON in_lane = 'care' AND b.n > 1 AND m.message_id = a.message_id
      LEFT JOIN sender.pair_rate AS p ON NOT a.to_group AND a.contact_id <> ALL (free)
           AND p.number = from_number AND p.contact_id = a.contact_id
     ORDER BY a.place;
END
$$;

-- Writes what became of attempts, and gives the result of each message that has one. A status may have been faster: what
-- it decided stays. `open`: known not to be sent, to be tried again. What is unknown in the care lane is tried again later.
CREATE FUNCTION sender.record_outcomes(
    message_ids uuid[], ns int[], states text[], refs text[], codes int[], http_statuses int[], reasons text[],
    resend_after interval, most_resends int)
RETURNS SETOF sender.message
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    locked uuid[] := ARRAY(SELECT m.message_id FROM sender.message AS m
                            WHERE m.message_id = ANY (message_ids) ORDER BY m.message_id FOR UPDATE);
BEGIN
    WITH finished AS (
        UPDATE sender.message AS m
           -- It was told that a promo may have arrived: it is over. Care goes on.
           SET state = CASE WHEN m.state = 'unknown' AND f.state = 'open' AND m.lane = 'promo' THEN 'not_sent' ELSE f.state END,
               finished_at = clock_timestamp(), platform_message_ref = f.ref, code = f.code, http_status = f.http_status,
               reason = f.reason, resolved_by = 'answer',
               recorded_at = CASE WHEN f.state <> 'open' OR (m.state = 'unknown' AND m.lane = 'promo') THEN clock_timestamp() END
          FROM unnest(message_ids, ns, states, refs, codes, http_statuses, reasons)
               AS f (message_id, n, state, ref, code, http_status, reason)
         WHERE m.message_id = f.message_id AND m.message_id = ANY (locked) AND m.n = f.n
           AND (m.state = 'dispatching' OR (m.state = 'unknown' AND f.state <> 'unknown'))
        RETURNING m.*),
    former AS (
        INSERT INTO sender.former_attempt (message_id, n, state, started_at, finished_at, code, http_status, reason)
        SELECT f.message_id, f.n, 'rejected', f.started_at, f.finished_at, f.code, f.http_status, f.reason
          FROM finished AS f WHERE f.state = 'open' ON CONFLICT DO NOTHING),
    theirs AS (
        SELECT f.message_id, f.state, f.lane, f.resent_count
          FROM finished AS f JOIN sender.waiting AS w ON w.message_id = f.message_id
         WHERE f.state = 'unknown' OR (f.state = 'open' AND w.parked_why = 'ambiguous')
         ORDER BY f.message_id FOR UPDATE OF w)
    UPDATE sender.waiting AS w
       SET parked_why = CASE WHEN t.state = 'unknown' THEN 'ambiguous' END,
           parked_until = CASE WHEN t.state <> 'unknown' THEN NULL
               WHEN t.lane = 'care' AND t.resent_count < most_resends THEN
                   clock_timestamp() + resend_after * 2 ^ t.resent_count ELSE 'infinity' END
      FROM theirs AS t WHERE w.message_id = t.message_id;
    RETURN QUERY SELECT m.* FROM sender.message AS m
                  WHERE m.message_id = ANY (message_ids) AND m.state NOT IN ('open', 'dispatching');
END
$$;

-- Writes that grants in the queue are not sent, and gives the result of each message that has one. Not while an attempt is
-- under way: its answer is the truth.
CREATE FUNCTION sender.refuse(message_ids uuid[], grant_ids uuid[], epochs int[], reasons text[])
RETURNS SETOF sender.message
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO sender.message AS m (message_id, grant_id, epoch, lane, contact_id, number, not_before, state, reason, recorded_at)
    SELECT w.message_id, w.grant_id, w.epoch, w.lane, w.contact_id, w.number, w.not_before, 'not_sent', r.reason, clock_timestamp()
      FROM unnest(message_ids, grant_ids, epochs, reasons) AS r (message_id, grant_id, epoch, reason)
      JOIN sender.waiting AS w ON w.message_id = r.message_id AND w.grant_id = r.grant_id AND w.epoch = r.epoch
     ORDER BY w.message_id
    ON CONFLICT (message_id) DO UPDATE
       SET grant_id = EXCLUDED.grant_id, epoch = EXCLUDED.epoch, lane = EXCLUDED.lane, contact_id = EXCLUDED.contact_id,
           number = EXCLUDED.number, not_before = EXCLUDED.not_before, reason = EXCLUDED.reason,
           -- One before it may have arrived: that is its result then.
           state = CASE WHEN EXISTS (SELECT 1 FROM sender.former_attempt AS f WHERE f.message_id = m.message_id
                                        AND f.state = 'unknown') THEN 'unknown' ELSE 'not_sent' END,
           started_at = (SELECT max(f.started_at) FROM sender.former_attempt AS f
                          WHERE f.message_id = m.message_id AND f.state = 'unknown'),
           recorded_at = EXCLUDED.recorded_at
     WHERE CASE m.state WHEN 'open' THEN true
                        WHEN 'failed' THEN m.reason IS DISTINCT FROM 'ambiguous' AND (m.grant_id, m.epoch) <> (EXCLUDED.grant_id, EXCLUDED.epoch)
                        WHEN 'not_sent' THEN (m.grant_id, m.epoch) <> (EXCLUDED.grant_id, EXCLUDED.epoch)
                        ELSE false END
       AND CASE WHEN m.grant_id = EXCLUDED.grant_id THEN m.epoch <= EXCLUDED.epoch
                ELSE m.not_before <= EXCLUDED.not_before END;
    RETURN QUERY SELECT m.* FROM sender.message AS m
                  WHERE m.message_id = ANY (message_ids) AND m.state NOT IN ('open', 'dispatching');
END
$$;

-- Lets statuses decide attempts that no answer has decided, and gives the messages they decided: the same again, the same
-- result again. An acceptance counts at the status' instant (`seen_ats`), within the attempt's own time.
CREATE FUNCTION sender.settle_attempts(
    message_ids uuid[], ns int[], states text[], statuses text[], refs text[], codes int[], reasons text[],
    seen_ats timestamptz[], budget interval)
RETURNS SETOF sender.message
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    places int[] := (
        SELECT array_agg(s.place::int ORDER BY s.message_id, s.place)
          FROM unnest(message_ids) WITH ORDINALITY AS s (message_id, place)
          JOIN sender.message AS m ON m.message_id = s.message_id
         WHERE m.state IN ('dispatching', 'unknown') OR m.reason = 'ambiguous' OR ns[s.place] < m.n OR m.resolved_by = 'status:' || statuses[s.place]);
BEGIN
    IF places IS NULL THEN
        RETURN;
    END IF;
    PERFORM 1 FROM sender.message AS m WHERE m.message_id = ANY (SELECT message_ids[place] FROM unnest(places) AS s (place))
      ORDER BY m.message_id FOR UPDATE;
    WITH earlier AS (
        UPDATE sender.former_attempt AS f SET state = states[s.place], finished_at = clock_timestamp()
          FROM unnest(places) AS s (place)
         WHERE f.message_id = message_ids[s.place] AND f.n = ns[s.place] AND f.state = 'unknown'
        RETURNING f.message_id, f.n, f.started_at, s.place)
    UPDATE sender.message AS m
       SET state = states[s.place], finished_at = clock_timestamp(), platform_message_ref = refs[s.place], code = codes[s.place],
           reason = reasons[s.place], resolved_by = 'status:' || statuses[s.place],
           recorded_at = CASE WHEN states[s.place] = 'accepted' THEN greatest(
               coalesce(e.started_at, m.started_at), least(seen_ats[s.place], coalesce(e.started_at, m.started_at) + budget))
               ELSE clock_timestamp() END
      FROM unnest(places) AS s (place) LEFT JOIN earlier AS e ON e.place = s.place
     WHERE m.message_id = message_ids[s.place]
       AND CASE WHEN m.n = ns[s.place] THEN m.state IN ('dispatching', 'unknown') OR m.reason = 'ambiguous'
                -- One before it has arrived after all, whatever became of those that followed.
                ELSE e.place IS NOT NULL AND states[s.place] = 'accepted' AND m.state <> 'accepted' END;
    RETURN QUERY SELECT m.* FROM unnest(places) AS s (place) JOIN sender.message AS m
        ON m.message_id = message_ids[s.place] AND m.resolved_by = 'status:' || statuses[s.place];
END
$$;
