-- What the router remembers of the work it does by itself.

-- No reserved grant has a lease that ended before this: where to look from, also after a restart.
CREATE TABLE router.reaped (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    until    timestamptz NOT NULL
) WITH (fillfactor = 50);
INSERT INTO router.reaped (until)
SELECT coalesce(min(valid_until), now()) FROM router.send_grant WHERE state = 'reserved';

CREATE INDEX budget_slice_of ON router.budget_slice (rule, scope, period);
CREATE INDEX campaign_unswept ON router.campaign (cancelled_at) WHERE NOT swept;
