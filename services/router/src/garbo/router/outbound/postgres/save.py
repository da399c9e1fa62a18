"""Writing a batch: one statement for new decisions, one for what became of old ones."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant, day_of_grant
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.rules.block import promo_blocked
from garbo.router.domain.state import RecipientState
from garbo.router.outbound.postgres.budgets import spend
from garbo.router.outbound.postgres.codecs import json_bytes, state_bytes
from garbo.router.outbound.postgres.contacts import erase_contacts
from garbo.router.outbound.postgres.merges import save_merges, split_contacts
from garbo.router.outbound.postgres.rows import date_of_day
from garbo.router.outbound.postgres.save_rest import RECHECK, save_rest
from garbo.router.ports.store import Changes, StoredDecision

if TYPE_CHECKING:
    from datetime import date

    from garbo.common.runtime.postgres import Connection

STATES: Final = """
UPDATE router.recipient_state r
SET state = n.state, promo_blocked = string_to_array(n.promo_blocked, ','), version = r.version + 1
FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS n(contact_id, state, promo_blocked)
WHERE r.contact_id = n.contact_id
"""
# Unique within a month. In its first minutes an id is written into the month before as well: a writer that
# looked before midnight and one that looked after it still meet.
DECIDED: Final = f"""
WITH clock AS (
    SELECT clock_timestamp() AS now_at
), months AS (
    SELECT date_trunc('month', now_at)::date AS month FROM clock
    UNION
    SELECT date_trunc('month', now_at - interval '5 minutes')::date FROM clock
), seen AS (
    INSERT INTO router.request_seen (message_id, month, decided_on, granted_on)
    SELECT n.message_id, months.month, (SELECT now_at::date FROM clock), n.granted_on
    FROM unnest($4::uuid[], $5::date[]) AS n(message_id, granted_on), months
), decisions AS (
    INSERT INTO router.decision
        (message_id, decided_on, client, request_id, body_hash, contact_id, records, facts, decided_at)
    SELECT n.message_id, clock.now_at::date, n.client, n.request_id, n.body_hash, n.contact_id,
           ARRAY[n.record], n.facts, clock.now_at
    FROM unnest($4::uuid[], $6::text[], $7::uuid[], $8::bytea[], $9::uuid[], $10::bytea[], $11::bytea[])
         AS n(message_id, client, request_id, body_hash, contact_id, record, facts), clock
)
{STATES}
"""  # noqa: S608 - joined from constants
# A message that waited or whose lease ended is granted again: on the same day in the same row.
GRANTED: Final = """
INSERT INTO router.send_grant (grant_id, granted_on, message_id, contact_id, lane, message_class, brand,
    number, epoch, state, not_before, valid_until, window_until, campaign, category, tags, by_fallback,
    policy_version, budget_slices, request, home_id)
SELECT grant_id, granted_on, message_id, contact_id, lane, message_class, brand, number, epoch, state,
       not_before, valid_until, window_until, campaign, category, string_to_array(tags, ','),
       by_fallback, policy_version,
       string_to_array(budget_slices, ',')::bigint[], request, home_id
FROM unnest($1::uuid[], $2::date[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::int[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::text[],
            $15::text[], $16::text[], $17::boolean[], $18::text[], $19::text[], $20::bytea[], $21::uuid[])
     AS n(grant_id, granted_on, message_id, contact_id, lane, message_class, brand, number, epoch, state,
          not_before, valid_until, window_until, campaign, category, tags, by_fallback, policy_version,
          budget_slices, request, home_id)
ON CONFLICT (grant_id, granted_on) DO UPDATE SET
    contact_id = excluded.contact_id, lane = excluded.lane, message_class = excluded.message_class,
    number = excluded.number, epoch = excluded.epoch, state = excluded.state,
    not_before = excluded.not_before, valid_until = excluded.valid_until,
    window_until = excluded.window_until, category = excluded.category,
    by_fallback = excluded.by_fallback, policy_version = excluded.policy_version,
    budget_slices = excluded.budget_slices, request = excluded.request, home_id = excluded.home_id,
    wamid = NULL
"""
GRANTED_AGAIN: Final = """
UPDATE router.request_seen s SET granted_on = n.granted_on
FROM unnest($1::uuid[], $2::date[]) AS n(message_id, granted_on) WHERE s.message_id = n.message_id
"""
# The days stand beside the columns once each: the planner looks at every element to find the tables.
UPDATED: Final = f"""
WITH settled AS (
    UPDATE router.send_grant g
    SET state = n.state, wamid = n.wamid, contact_id = n.contact_id, valid_until = n.valid_until,
        home_id = CASE WHEN g.contact_id = n.contact_id THEN g.home_id
                       ELSE coalesce(g.home_id, g.contact_id) END,
        policy_version = n.policy_version, budget_slices = string_to_array(n.budget_slices, ',')::bigint[],
        request = CASE WHEN n.replaceable THEN g.request END
    FROM unnest($4::uuid[], $5::date[], $6::text[], $7::text[], $8::uuid[], $9::timestamptz[], $10::text[],
                $11::text[], $12::boolean[])
         AS n(grant_id, granted_on, state, wamid, contact_id, valid_until, policy_version, budget_slices,
              replaceable)
    WHERE g.grant_id = n.grant_id AND g.granted_on = n.granted_on AND g.granted_on = ANY ($16::date[])
), further AS (
    UPDATE router.decision d SET records = d.records || n.record
    FROM unnest($13::uuid[], $14::date[], $15::bytea[]) AS n(message_id, decided_on, record)
    WHERE d.message_id = n.message_id AND d.decided_on = n.decided_on AND d.decided_on = ANY ($17::date[])
)
{STATES}
"""  # noqa: S608 - as above


class Writer:
    """Writes what changed on one connection. `decided_on` has the day of each decision that gets a record."""

    def __init__(self, connection: "Connection", *, decided_on: "Mapping[MessageId, date]") -> None:
        self._connection, self._decided_on = connection, decided_on

    async def write(self, changes: Changes) -> None:
        """Write, in one statement for each kind of change."""
        states = _state_columns(changes.states)
        if changes.decisions:
            granted_on = {g.message_id: date_of_day(day_of_grant(g.grant_id)) for g in changes.grants}
            columns = _decision_columns(changes.decisions, granted_on)
            await self._connection.execute(DECIDED, *states, *columns)
            states = ([], [], [])
        if changes.grants:
            await self._grant(changes)
        if changes.updated_grants or changes.decision_updates or states[0]:
            updated, further = (
                _updated_columns(changes.updated_grants),
                self._further(changes.decision_updates),
            )
            days = list(set(updated[1])), list(set(further[1]))
            await self._connection.execute(UPDATED, *states, *updated, *further, *days)
        await save_merges(self._connection, changes)
        if changes.contacts_to_recheck:  # before what waits in new terms is written
            await self._connection.execute(RECHECK, list(changes.contacts_to_recheck))
        await save_rest(self._connection, changes)
        if changes.budgets_spent:
            await spend(self._connection, changes.budgets_spent)
        await split_contacts(self._connection, changes.split)
        if changes.erased:
            await erase_contacts(self._connection, changes.erased)

    async def _grant(self, changes: Changes) -> None:
        await self._connection.execute(GRANTED, *_grant_columns(sorted(changes.grants, key=_by_grant_id)))
        fresh = {decision.message_id for decision in changes.decisions}
        if again := [g for g in changes.grants if g.message_id not in fresh]:
            days = [date_of_day(day_of_grant(grant.grant_id)) for grant in again]
            await self._connection.execute(GRANTED_AGAIN, [grant.message_id for grant in again], days)

    def _further(self, updates: Mapping[MessageId, bytes]) -> tuple[list[object], ...]:
        known = [(m, self._decided_on[m], record) for m, record in updates.items() if m in self._decided_on]
        return [m for m, _, _ in known], [day for _, day, _ in known], [record for _, _, record in known]


def _state_columns(states: Mapping[ContactId, RecipientState]) -> tuple[list[object], ...]:
    values = states.values()
    return list(states), [state_bytes(s) for s in values], [",".join(promo_blocked(s)) for s in values]


def _decision_columns(
    decisions: Sequence[StoredDecision], granted_on: "Mapping[MessageId, date]"
) -> tuple[list[object], ...]:
    return (
        [d.message_id for d in decisions],
        [granted_on.get(d.message_id) for d in decisions],
        [d.client for d in decisions],
        [d.request_id for d in decisions],
        [d.body_hash for d in decisions],
        [d.contact_id for d in decisions],
        [d.records[0] for d in decisions],
        [None if d.inputs is None else json_bytes(d.inputs) for d in decisions],
    )


def _by_grant_id(grant: Grant) -> UUID:
    """Order as all others lock grants: one given again today is an update."""
    return grant.grant_id


def _grant_columns(grants: Sequence[Grant]) -> tuple[list[object], ...]:
    return (
        [g.grant_id for g in grants],
        [date_of_day(day_of_grant(g.grant_id)) for g in grants],
        [g.message_id for g in grants],
        [g.contact_id for g in grants],
        [g.lane for g in grants],
        [g.message_class for g in grants],
        [g.brand for g in grants],
        [g.number for g in grants],
        [g.epoch for g in grants],
        [g.state for g in grants],
        [to_datetime(g.not_before_us) for g in grants],
        [to_datetime(g.valid_until_us) for g in grants],
        [None if g.window_until_us is None else to_datetime(g.window_until_us) for g in grants],
        [g.campaign for g in grants],
        [g.category for g in grants],
        [",".join(g.tags) for g in grants],
        [g.by_fallback for g in grants],
        [g.policy_version for g in grants],
        [_joined(g.budget_leases) for g in grants],
        [g.request for g in grants],
        [g.home_id for g in grants],
    )


def _updated_columns(grants: Sequence[Grant]) -> tuple[list[object], ...]:
    return (
        [g.grant_id for g in grants],
        [date_of_day(day_of_grant(g.grant_id)) for g in grants],
        [g.state for g in grants],
        [g.wamid for g in grants],
        [g.contact_id for g in grants],
        [to_datetime(g.valid_until_us) for g in grants],
        [g.policy_version for g in grants],
        [_joined(g.budget_leases) for g in grants],
        [g.request is not None for g in grants],
    )


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))
