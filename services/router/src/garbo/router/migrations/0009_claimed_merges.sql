-- On whose word an address leads to a contact. `home_id` is the contact it was of before any client's word: what the
-- platform showed together has one home, and a send to a contact id goes to an address of that contact's home.
-- NULL: only a client says so (`claimed_by`), and no contact id is ever written to there.
ALTER TABLE router.contact ADD COLUMN home_id uuid;
UPDATE router.contact SET home_id = coalesce(merged_into, contact_id);
ALTER TABLE router.contact ALTER COLUMN home_id SET NOT NULL;
ALTER TABLE router.alias ADD COLUMN home_id uuid, ADD COLUMN claimed_by text;
UPDATE router.alias SET home_id = contact_id;
CREATE INDEX contact_home ON router.contact (home_id) WHERE home_id <> contact_id;

-- Merges that a client claimed, as both were before: what `garbo contact split` undoes.
CREATE TABLE router.contact_merge (
    contact_id  uuid PRIMARY KEY,
    into_id     uuid NOT NULL,
    said_by     text NOT NULL,
    merged_at   timestamptz NOT NULL,
    state       bytea NOT NULL,
    into_state  bytea NOT NULL
);
CREATE INDEX contact_merge_into ON router.contact_merge (into_id);

-- The contact a proof was recorded for, whoever they turned out to be since.
ALTER TABLE router.consent_record ADD COLUMN recorded_for uuid;
UPDATE router.consent_record SET recorded_for = contact_id;
