-- Who sends alone from a number may be later than who shares it (garbo.sender.domain.pacing).
ALTER TABLE sender.number_rate
    -- The process that had the last lease.
    ADD COLUMN holder uuid,
    -- All leases since then were this one's.
    ADD COLUMN held_since timestamptz NOT NULL DEFAULT 'infinity';
