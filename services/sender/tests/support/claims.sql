-- A stand-in for the one door into the router's schema: same name, arguments, columns and words.
CREATE SCHEMA router;
CREATE TABLE router.stand_in (
    grant_id uuid PRIMARY KEY, epoch integer NOT NULL, message_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'reserved', valid_until timestamptz NOT NULL);
CREATE FUNCTION router.claim_grants(grant_ids uuid[], epochs integer[], message_ids uuid[])
RETURNS TABLE (grant_id uuid, claimed boolean, reason text) LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH asked AS (
        SELECT * FROM unnest(grant_ids, epochs, message_ids) WITH ORDINALITY AS a (id, epoch, message_id, place)),
    judged AS (
        SELECT asked.id, asked.place, CASE
            WHEN s.grant_id IS NULL OR s.message_id <> asked.message_id THEN 'unknown_grant'
            WHEN s.epoch <> asked.epoch THEN 'stale_epoch'
            WHEN s.state = 'revoked' THEN 'revoked'
            WHEN s.state <> 'reserved' THEN 'already_dispatched'
            WHEN clock_timestamp() >= s.valid_until THEN 'lease_expired'
            ELSE 'claimed' END AS reason
          FROM asked LEFT JOIN router.stand_in AS s ON s.grant_id = asked.id),
    taken AS (
        UPDATE router.stand_in AS s SET state = 'dispatched'
          FROM judged WHERE judged.reason = 'claimed' AND s.grant_id = judged.id)
    SELECT id, judged.reason = 'claimed', judged.reason FROM judged ORDER BY place
$$;
