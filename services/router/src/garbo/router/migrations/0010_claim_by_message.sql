-- A grant is claimed for its own message: who names somebody else's grant, under another message, has none.
DROP FUNCTION router.claim_grants(uuid[], int[]);
CREATE FUNCTION router.claim_grants(grant_ids uuid[], epochs int[], message_ids uuid[])
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
        SELECT a.id, a.epoch, a.message_id, a.place, row_number() OVER (PARTITION BY a.id, a.message_id ORDER BY a.place) AS turn
        FROM unnest(grant_ids, epochs, message_ids) WITH ORDINALITY AS a(id, epoch, message_id, place)
    ), known AS MATERIALIZED (
        SELECT * FROM router.send_grant g WHERE g.grant_id = ANY (grant_ids) AND g.granted_on = ANY (days)
    ), judged AS MATERIALIZED (
        SELECT asked.id, asked.place, CASE
            WHEN g.grant_id IS NULL OR g.message_id IS DISTINCT FROM asked.message_id THEN 'unknown_grant'
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
