-- At whose own address a message is sent: where a client joined two people, the one it named, whoever they are to caps and stops.
-- Of rows written before it is the contact id.
ALTER TABLE router.deferred ADD COLUMN home_id uuid;
ALTER TABLE router.send_grant ADD COLUMN home_id uuid;
