-- A STOP also holds for a promo that was claimed and not sent yet; a template's category has its own instant.

-- As before, and: a claimed promo that comes again (its first try never left) is refused once its person has
-- stopped the brand. What is on the wire does not come again.
CREATE OR REPLACE FUNCTION router.claim_grants(grant_ids uuid[], epochs int[])
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
            WHEN g.state = 'dispatched' AND g.message_class = 'promo' AND EXISTS (
                SELECT 1 FROM router.recipient_state r,
                     LATERAL (SELECT r.state -> 'stops' -> g.brand AS said) AS stop
                WHERE r.contact_id = g.contact_id
                  AND (said ->> 'stopped_at')::bigint >= coalesce((said ->> 'started_at')::bigint, 0)
            ) THEN 'revoked'
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

-- When the category (or its announced change) was told: a later word about the status does not outrank it.
ALTER TABLE router.template ADD COLUMN categorised_at timestamptz;
UPDATE router.template SET categorised_at = changed_at WHERE category IS NOT NULL OR next_category IS NOT NULL;
