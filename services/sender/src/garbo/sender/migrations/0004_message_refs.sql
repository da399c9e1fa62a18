-- A wamid holds the person's number: attempts keep a hash of it, by which a message is recognised all the same.
-- As `ids.platform_message_ref` of the common library: a hash of what follows the peer's name, else of the whole.
CREATE FUNCTION sender.message_ref(wamid text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
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

ALTER TABLE sender.attempt RENAME COLUMN wamid TO platform_message_ref;
UPDATE sender.attempt SET platform_message_ref = sender.message_ref(platform_message_ref)
WHERE platform_message_ref IS NOT NULL;
DROP FUNCTION sender.message_ref(text);
