-- How many people each portfolio has written to first in the last 24 h, each of them once (docs/adr/0026-portfolios.md).
CREATE TABLE sender.portfolio (
    portfolio text PRIMARY KEY,
    -- As many as `sender.reached` has of it. Its row is the lock of these.
    people    integer NOT NULL DEFAULT 0 CHECK (people >= 0),
    -- What the platform allows, as it told; NULL and told: as many as there are.
    most      integer,
    told_at   timestamptz
);
CREATE TABLE sender.reached (
    portfolio  text NOT NULL,
    contact_id uuid NOT NULL,
    -- When one was begun last that counts.
    reached_at timestamptz NOT NULL,
    -- The message that took the place, unless another has counted on it since: given back when it is not sent after all.
    opened_by  uuid,
    PRIMARY KEY (portfolio, contact_id)
);
CREATE INDEX reached_last ON sender.reached (portfolio, reached_at);
CREATE INDEX reached_opened ON sender.reached (opened_by) WHERE opened_by IS NOT NULL;
CREATE INDEX waiting_place ON sender.waiting (parked_why, lane, seq)
    WHERE parked_why LIKE 'portfolio:%' AND parked_until = 'infinity';

-- Locks a portfolio and forgets who was reached too long ago, some thousands at once; gives how many people are left.
CREATE FUNCTION sender.people_of(of_portfolio text, held_for interval) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    taken int;
BEGIN
    INSERT INTO sender.portfolio (portfolio) VALUES (of_portfolio) ON CONFLICT DO NOTHING;
    PERFORM 1 FROM sender.portfolio WHERE portfolio = of_portfolio FOR UPDATE;
    WITH gone AS (
        DELETE FROM sender.reached AS r
         USING (SELECT contact_id FROM sender.reached
                 WHERE portfolio = of_portfolio AND reached_at <= clock_timestamp() - held_for
                 ORDER BY reached_at LIMIT 5000 FOR UPDATE SKIP LOCKED) AS old
         WHERE r.portfolio = of_portfolio AND r.contact_id = old.contact_id RETURNING 1)
    UPDATE sender.portfolio SET people = people - (SELECT count(*) FROM gone)
     WHERE portfolio = of_portfolio RETURNING people INTO taken;
    RETURN taken;
END
$$;

-- Takes a place for each of these people, in their order, while there are less than `most`; gives those who have one. No
-- two of one person. Once it is committed they may be written to.
CREATE FUNCTION sender.take_places(
    of_portfolio text, most int, contact_ids uuid[], message_ids uuid[], held_for interval) RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
    taken int := sender.people_of(of_portfolio, held_for);
    known uuid[];
    added uuid[];
BEGIN
    WITH again AS (
        UPDATE sender.reached AS r SET reached_at = clock_timestamp(), opened_by = NULL
         WHERE r.portfolio = of_portfolio AND r.contact_id = ANY (contact_ids) RETURNING r.contact_id)
    SELECT coalesce(array_agg(contact_id), '{}') INTO known FROM again;
    WITH more AS (
        INSERT INTO sender.reached (portfolio, contact_id, reached_at, opened_by)
        SELECT of_portfolio, a.contact_id, clock_timestamp(), a.message_id
          FROM unnest(contact_ids, message_ids) WITH ORDINALITY AS a (contact_id, message_id, place)
         WHERE a.contact_id <> ALL (known) ORDER BY a.place LIMIT greatest(0, most - taken)
        RETURNING contact_id)
    SELECT coalesce(array_agg(contact_id), '{}') INTO added FROM more;
    UPDATE sender.portfolio SET people = taken + cardinality(added)
     WHERE portfolio = of_portfolio AND cardinality(added) > 0;
    RETURN known || added;
END
$$;

-- Gives back the places that these messages took and nobody else has counted on: they were not sent.
CREATE FUNCTION sender.give_places_back(message_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    locked text[];
BEGIN
    SELECT array_agg(l.portfolio) INTO locked FROM (
        SELECT p.portfolio FROM sender.portfolio AS p
         WHERE p.portfolio IN (SELECT r.portfolio FROM sender.reached AS r WHERE r.opened_by = ANY (message_ids))
         ORDER BY p.portfolio FOR UPDATE) AS l;
    WITH gone AS (
        DELETE FROM sender.reached AS r WHERE r.opened_by = ANY (message_ids) AND r.portfolio = ANY (locked)
        RETURNING r.portfolio)
    UPDATE sender.portfolio AS p SET people = p.people - g.count
      FROM (SELECT portfolio, count(*) AS count FROM gone GROUP BY portfolio) AS g WHERE p.portfolio = g.portfolio;
END
$$;

-- Lets so many of those that wait for a place be looked at again as there are places, care first; gives how many people
-- there are.
CREATE FUNCTION sender.wake_for_places(
    of_portfolio text, most int, most_of_promo int, at_once int, held_for interval) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    taken int := sender.people_of(of_portfolio, held_for);
    spent int;      -- and those that were woken and nobody has looked at yet
BEGIN
    SELECT taken + count(*) INTO spent FROM sender.waiting
     WHERE parked_until <= clock_timestamp() + interval '1 second' AND parked_why = 'portfolio:' || of_portfolio;
    WITH next AS (
        SELECT w.message_id, w.lane, row_number() OVER (ORDER BY w.lane, w.seq) AS place
          FROM (SELECT message_id, lane, seq FROM sender.waiting
                 WHERE parked_why = 'portfolio:' || of_portfolio
                   AND parked_why LIKE 'portfolio:%' AND parked_until = 'infinity'
                 ORDER BY lane, seq LIMIT least(at_once, greatest(0, most - spent)) FOR UPDATE SKIP LOCKED) AS w)
    UPDATE sender.waiting AS w SET parked_until = clock_timestamp() + next.place * interval '1 microsecond'
      FROM next
     WHERE w.message_id = next.message_id AND w.parked_until = 'infinity'
       AND (next.lane = 'care' OR next.place <= most_of_promo - spent);
    RETURN taken;
END
$$;
