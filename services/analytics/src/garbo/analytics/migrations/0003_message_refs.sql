-- A wamid holds the person's number: a hash of it tells messages apart as well.
-- As `ids.platform_message_ref` of the common library: a hash of what follows the peer's name, else of the whole.
CREATE FUNCTION analytics.message_ref(wamid text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    said bytea := convert_to(wamid, 'UTF8');
    raw  bytea;
BEGIN
    IF wamid ~ '^wamid\.([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' THEN
        raw := decode(substr(wamid, 7), 'base64');
        IF length(raw) > 2 AND substr(raw, 1, 2) = '\x1c18' AND length(raw) - 3 - get_byte(raw, 2) >= 12 THEN
            said := substr(raw, 4 + get_byte(raw, 2));
        END IF;
    END IF;
    RETURN left(encode(sha256(convert_to(E'garbo.wamid\n', 'UTF8') || said), 'hex'), 32);
END
$$;

ALTER TABLE analytics.fact RENAME COLUMN wamid TO platform_message_ref;
UPDATE analytics.fact SET platform_message_ref = analytics.message_ref(platform_message_ref)
WHERE platform_message_ref IS NOT NULL;

-- The same message under two names of its peer was two rows: one stays.
ALTER TABLE analytics.inbound RENAME COLUMN wamid TO platform_message_ref;
DELETE FROM analytics.inbound i USING (
    SELECT platform_message_ref, row_number() OVER (
        PARTITION BY analytics.message_ref(platform_message_ref) ORDER BY occurred_at, platform_message_ref) AS place
    FROM analytics.inbound) AS again
WHERE again.place > 1 AND i.platform_message_ref = again.platform_message_ref;
UPDATE analytics.inbound SET platform_message_ref = analytics.message_ref(platform_message_ref);

ALTER TABLE analytics.foreign_status RENAME COLUMN wamid TO platform_message_ref;
DELETE FROM analytics.foreign_status f USING (
    SELECT platform_message_ref, status, row_number() OVER (
        PARTITION BY analytics.message_ref(platform_message_ref), status
        ORDER BY occurred_at, platform_message_ref) AS place
    FROM analytics.foreign_status) AS again
WHERE again.place > 1 AND (f.platform_message_ref, f.status) = (again.platform_message_ref, again.status);
UPDATE analytics.foreign_status SET platform_message_ref = analytics.message_ref(platform_message_ref);
DROP FUNCTION analytics.message_ref(text);
