-- A person's row named their last messages and the word of a STOP by the wamid, which holds their number.
-- As `ids.platform_message_ref` of the common library: a hash of what follows the peer's name, else of the whole.
CREATE FUNCTION router.message_ref(wamid text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
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

WITH known AS (
    SELECT contact_id, convert_from(state, 'UTF8')::jsonb AS state FROM router.recipient_state
), renamed AS (
    SELECT contact_id, state
        || CASE WHEN state ? 'inbound' THEN jsonb_build_object('inbound', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(router.message_ref(heard ->> 0), heard -> 1) ORDER BY place), '[]')
            FROM jsonb_array_elements(state -> 'inbound') WITH ORDINALITY AS n(heard, place))) ELSE '{}' END
        || CASE WHEN state ? 'stops' THEN jsonb_build_object('stops', (
            SELECT coalesce(jsonb_object_agg(key, CASE WHEN value ->> 'by' <> ''
                THEN value || jsonb_build_object('by', router.message_ref(value ->> 'by')) ELSE value END), '{}')
            FROM jsonb_each(state -> 'stops'))) ELSE '{}' END
        || CASE WHEN state ? 'questions' THEN jsonb_build_object('questions', (
            SELECT coalesce(jsonb_object_agg(
                key, value || jsonb_build_object('by', router.message_ref(value ->> 'by'))), '{}')
            FROM jsonb_each(state -> 'questions'))) ELSE '{}' END AS state
    FROM known WHERE state ?| ARRAY['inbound', 'stops', 'questions']
)
UPDATE router.recipient_state r SET state = convert_to(renamed.state::text, 'UTF8')
FROM renamed WHERE r.contact_id = renamed.contact_id;
DROP FUNCTION router.message_ref(text);

-- Grants held a hash of the whole wamid, from which the new one cannot be told: the old ones are forgotten.
UPDATE router.send_grant SET wamid = NULL WHERE wamid IS NOT NULL;
