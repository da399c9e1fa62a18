-- A person's addresses change; the one that was shown last is the one to write to.
ALTER TABLE router.alias ADD COLUMN linked_at timestamptz NOT NULL DEFAULT now();
-- `wamid` holds a reference since now (a hash; a wamid itself holds the person's number): the old ones are forgotten.
UPDATE router.send_grant SET wamid = NULL WHERE wamid IS NOT NULL;
