-- Care that may have arrived is sent once more only while its lease lasts: after that its result stands as it is. Else
-- as before (0007).

-- Claims and writes attempts from one number in one lane, no two of one person. Once it is committed the bytes may leave.
--   begun. refused: its result is written. too_soon: this person has been sent too much lately, wait `after_s`.
--   elsewhere: somebody else has it in hand, it is decided, or a newer grant speaks for the message.
CREATE OR REPLACE FUNCTION sender.begin_attempts(
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
        -- What is about to be followed by another one, locked until then.
        INSERT INTO sender.former_attempt (message_id, n, state, started_at, finished_at, code, http_status, reason)
        SELECT m.message_id, m.n, 'unknown', m.started_at, m.finished_at, m.code, m.http_status, m.reason
          FROM (SELECT o.* FROM sender.message AS o
                 WHERE o.message_id = ANY (message_ids) AND o.state IN ('dispatching', 'unknown')
                 ORDER BY o.message_id FOR UPDATE) AS m
          JOIN unnest(message_ids, grant_ids, epochs) AS a (message_id, grant_id, epoch) ON a.message_id = m.message_id
         WHERE m.state = 'unknown' AND m.resent_count < most_resends AND m.started_at < clock_timestamp() - resend_after
           AND (m.grant_id, m.epoch) = (a.grant_id, a.epoch) AND m.message_id = ANY (alive)
        ON CONFLICT DO NOTHING;
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
