-- What clients told of a person is true for their brands alone, and a brand that stands here has dealt with them.
-- Who was known before is known to the brands that left a trace; zone and language were told to all of them.
WITH known AS (
    SELECT contact_id, convert_from(state, 'UTF8')::jsonb AS state FROM router.recipient_state
), dealt AS (
    SELECT contact_id, key AS brand FROM known, jsonb_object_keys(state -> 'stops') AS key
    UNION SELECT contact_id, split_part(key, '/', 1) FROM known, jsonb_object_keys(state -> 'consents') AS key
    UNION SELECT contact_id, value ->> 'brand' FROM known, jsonb_each(state -> 'cases')
    UNION SELECT contact_id, value ->> 'brand' FROM known, jsonb_each(state -> 'preferences')
    UNION SELECT contact_id, value ->> 'brand' FROM known, jsonb_array_elements(state -> 'sends')
    UNION SELECT contact_id, brand FROM router.send_grant
), claims AS (
    SELECT d.contact_id, jsonb_object_agg(d.brand, jsonb_strip_nulls(jsonb_build_object(
        'zone', k.state -> 'zone', 'zone_at', k.state -> 'zone_at',
        'language', k.state -> 'language', 'language_at', k.state -> 'language_at'))) AS claims
    FROM dealt d JOIN known k USING (contact_id)
    WHERE d.brand <> '*' GROUP BY d.contact_id
)
UPDATE router.recipient_state r
SET state = convert_to(((k.state - ARRAY['zone', 'zone_at', 'language', 'language_at'])
    || jsonb_build_object('claims', coalesce(c.claims, '{}')))::text, 'UTF8')
FROM known k LEFT JOIN claims c USING (contact_id)
WHERE r.contact_id = k.contact_id;
