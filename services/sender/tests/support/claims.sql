-- A stand-in for the one door into the router's schema: same name, arguments, columns and words.
CREATE SCHEMA router;
CREATE TABLE router.stand_in (
    grant_id uuid PRIMARY KEY, epoch integer NOT NULL,
    state text NOT NULL DEFAULT 'reserved', valid_until timestamptz NOT NULL);
CREATE FUNCTION router.claim_grants(grant_ids uuid[], epochs integer[])
RETURNS TABLE (grant_id uuid, claimed boolean, reason text) LANGUAGE sql VOLATILE AS $$
    WITH asked AS (SELECT * FROM unnest(grant_ids, epochs) AS a (id, epoch)),
    judged AS (
        SELECT asked.id, CASE
            WHEN s.grant_id IS NULL THEN 'unknown_grant'
            WHEN s.epoch <> asked.epoch THEN 'stale_epoch'
            WHEN s.state = 'revoked' THEN 'revoked'
            WHEN s.state <> 'reserved' THEN 'already_dispatched'
            WHEN clock_timestamp() >= s.valid_until THEN 'lease_expired'
            ELSE 'claimed' END AS reason
          FROM asked LEFT JOIN router.stand_in AS s ON s.grant_id = asked.id),
    taken AS (
        UPDATE router.stand_in AS s SET state = 'dispatched'
          FROM judged WHERE judged.reason = 'claimed' AND s.grant_id = judged.id)
    SELECT id, judged.reason = 'claimed', judged.reason FROM judged
$$;
