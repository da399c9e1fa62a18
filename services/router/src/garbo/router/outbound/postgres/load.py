"""Loading what a transaction is about: people and grants locked in order, then the clock, then the rest.

Few round trips: everything by arrays, and nothing asked that the scope does not name.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant, grant_id_of
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.suppression import with_suppressions
from garbo.router.outbound.postgres.codecs import read_send, read_state
from garbo.router.outbound.postgres.contacts import addresses_of, find_by_id, link_to, suppressions_of
from garbo.router.outbound.postgres.rows import day_of_date, read_decision, read_deferred, read_grant
from garbo.router.outbound.postgres.templates import PostgresTemplates
from garbo.router.ports.contacts import Address, Contact
from garbo.router.ports.store import Deferred, Scope, Snapshot, StoredDecision

if TYPE_CHECKING:
    from datetime import date

    from garbo.common.runtime.postgres import Connection

READ_STATES: Final = """
SELECT contact_id, version, state FROM router.recipient_state WHERE contact_id = ANY ($1::uuid[])
"""
LOCK_STATES: Final = f"{READ_STATES} ORDER BY contact_id FOR UPDATE"
# On which days a message was decided and last granted: a message is asked for by its id alone, the tables are
# by day. Seen ids are kept by month, and two months hold one id only around midnight.
SEEN: Final = """
SELECT DISTINCT ON (message_id) message_id, decided_on, granted_on
FROM router.request_seen WHERE message_id = ANY ($1::uuid[]) ORDER BY message_id, month DESC
"""
CLOCK: Final = f"""
SELECT clock_timestamp() AS now_at, (SELECT version FROM router.template_version) AS templates_version,
       (SELECT coalesce(array_agg(ARRAY[c.brand, c.campaign]), '{{}}') FROM router.campaign c
        JOIN unnest($2::text[], $3::text[]) AS asked(brand, campaign) USING (brand, campaign)) AS cancelled,
       seen.*
FROM (SELECT 1) AS one LEFT JOIN ({SEEN}) AS seen ON true
"""  # noqa: S608 - joined from constants
DECISIONS: Final = """
SELECT message_id, client, request_id, body_hash, contact_id, records
FROM router.decision WHERE message_id = ANY ($1::uuid[]) AND decided_on = ANY ($2::date[])
"""
GRANTS: Final = """
SELECT * FROM router.send_grant WHERE grant_id = ANY ($1::uuid[]) AND granted_on = ANY ($2::date[])
"""
LOCK_GRANTS: Final = f"{GRANTS} ORDER BY grant_id FOR UPDATE"
# A reply or a status that names no attempt finds its message by the wamid, for a month and a half.
GRANTS_OF_WAMIDS: Final = """
SELECT * FROM router.send_grant WHERE wamid = ANY ($1::text[]) AND granted_on >= current_date - 45
"""
DEFERRED: Final = "SELECT * FROM router.deferred WHERE message_id = ANY ($1::uuid[])"
DEFERRED_OF: Final = "SELECT * FROM router.deferred WHERE contact_id = ANY ($1::uuid[])"
READY_OF: Final = f"""
{DEFERRED_OF} AND (least(free_at, due_at) <= clock_timestamp()
    OR (policy_version IS DISTINCT FROM $2 AND reason <> 'gathering'))
"""
TOLD: Final = "SELECT message_ref, record FROM router.told WHERE message_ref = ANY ($1::text[])"
CAMPAIGN_SENDS: Final = """
SELECT s.contact_id, s.campaign, s.send FROM router.campaign_send s
JOIN unnest($1::uuid[], $2::text[]) AS asked(contact_id, campaign) USING (contact_id, campaign)
ORDER BY s.contact_id, s.campaign, s.message_id
"""


class Loader:
    """Reads on one connection inside a transaction."""

    def __init__(self, connection: "Connection", templates: PostgresTemplates) -> None:
        self._connection, self._templates = connection, templates
        self.days: dict[MessageId, tuple[date, date | None]] = {}
        """On which day each message was decided and last granted, as far as it was asked."""

    async def load(self, scope: Scope) -> Snapshot:
        """Load: see `Transaction.load`."""
        states = await self._states(scope)
        suppressed = await self._suppressed(scope, states)
        addresses = await self._addresses(scope.addresses_of)
        ready = await self._deferred(READY_OF, scope.ready_of, scope.policy_version)
        waiting = [*ready, *await self._deferred(DEFERRED_OF, scope.deferred_of)]
        open_ids = {
            s.message_id for c in scope.open_grants_of if c in states for s in states[c].sends if s.open
        }
        locked = await self._locked_grants(scope.grants | open_ids)
        opened = {m for m, g in locked.items() if m in open_ids}
        homes = {d.home_id for d in waiting if d.home_id}
        homes |= {home_id for m in opened if (home_id := locked[m].home_id)}
        contacts = await self._contacts(scope.reachable | {one.contact_id for one in ready} | homes)
        messages = scope.messages | {d.message_id for d in waiting} | opened
        campaigns = scope.campaigns | {(locked[m].brand, c) for m in opened if (c := locked[m].campaign)}
        campaigns |= {(d.brand, d.campaign) for d in waiting if d.campaign}
        clock, known = await self._clock(messages, campaigns)
        asked = [message_id for message_id in known if message_id in scope.messages]
        deferred = {d.message_id: d for d in (*waiting, *await self._deferred(DEFERRED, asked))}
        return Snapshot(
            now_us=to_us(clock["now_at"]),
            templates=await self._templates.current(self._connection, clock["templates_version"]),
            states={**states, **suppressed},
            newly_suppressed=frozenset(suppressed),
            contacts=contacts,
            addresses=addresses,
            locked_grants=locked,
            decisions=await self._decisions(known),
            grants=await self.grants(known, sql=GRANTS),
            deferred=deferred,
            cancelled=frozenset((brand, campaign) for brand, campaign in clock["cancelled"]),
            campaign_sends=await self._campaign_sends(scope, locked.values(), waiting),
            told=await self._told(scope.told),
        )

    async def seen(self, message_ids: Iterable[MessageId]) -> list[MessageId]:
        """Find which messages are known, and their days: asked anew, a grant may be of a later day now."""
        asked = list(message_ids)
        return self._remember(await self._connection.fetch(SEEN, asked)) if asked else []

    async def grants(self, known: Iterable[MessageId], *, sql: str = GRANTS) -> dict[MessageId, Grant]:
        """Read, or lock, the newest grants of messages whose days are known."""
        named = [(m, on) for m, on in ((m, self.days[m][1]) for m in known) if on is not None]
        if not named:
            return {}
        grant_ids = [grant_id_of(message_id, day_of_date(on)) for message_id, on in named]
        rows = await self._connection.fetch(sql, grant_ids, list({on for _, on in named}))
        return {grant.message_id: grant for grant in map(read_grant, rows)}

    async def grants_of_wamids(self, wamids: Collection[str]) -> list[Grant]:
        """Find grants by the reference of a wamid."""
        rows = await self._connection.fetch(GRANTS_OF_WAMIDS, list(wamids)) if wamids else ()
        return [read_grant(row) for row in rows]

    async def _states(self, scope: Scope) -> dict[ContactId, RecipientState]:
        if not scope.contacts:
            return {}
        rows = await self._connection.fetch(LOCK_STATES if scope.lock else READ_STATES, list(scope.contacts))
        return {ContactId(row["contact_id"]): read_state(row["version"], row["state"]) for row in rows}

    async def _suppressed(
        self, scope: Scope, states: Mapping[ContactId, RecipientState]
    ) -> dict[ContactId, RecipientState]:
        """Give the states of people met for the first time, or by a new address, with what lists say of them.

        A state nobody has written yet is one that no list was looked at for.
        """
        new = [link for link in scope.new_addresses.values() if link.contact_id in states]
        if new:
            await link_to(self._connection, new)
        asked = {c for c, state in states.items() if state.version == 0 or c in scope.suppressions_of}
        asked |= {link.contact_id for link in new}
        found = await suppressions_of(self._connection, asked) if asked else {}
        listed = {c: with_suppressions(states[c], said) for c, said in found.items()}
        return {c: state for c, state in listed.items() if state != states[c]}

    async def _contacts(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Contact]:
        return await find_by_id(self._connection, contact_ids) if contact_ids else {}

    async def _addresses(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Sequence[Address]]:
        return await addresses_of(self._connection, contact_ids) if contact_ids else {}

    async def _locked_grants(self, message_ids: Collection[MessageId]) -> dict[MessageId, Grant]:
        return await self.grants(await self.seen(message_ids), sql=LOCK_GRANTS)

    async def _clock(
        self, message_ids: Collection[MessageId], campaigns: Iterable[tuple[str, str]]
    ) -> tuple[asyncpg.Record, list[MessageId]]:
        """Read the clock, which campaigns were called off, and which of the messages are known."""
        brands, names = _pairs(campaigns)
        rows = await self._connection.fetch(CLOCK, list(message_ids), brands, names)
        return rows[0], self._remember(rows)

    async def _decisions(self, known: Sequence[MessageId]) -> dict[MessageId, StoredDecision]:
        if not known:
            return {}
        days = list({self.days[message_id][0] for message_id in known})
        rows = await self._connection.fetch(DECISIONS, known, days)
        return {decision.message_id: decision for decision in map(read_decision, rows)}

    async def _deferred(self, sql: str, ids: Collection[UUID], *more: str) -> Sequence[Deferred]:
        rows = await self._connection.fetch(sql, list(ids), *more) if ids else ()
        return [read_deferred(row) for row in rows]

    async def _campaign_sends(
        self, scope: Scope, grants: Iterable[Grant], deferred: Iterable[Deferred]
    ) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
        if scope.campaign_sends is None:
            return {}
        granted = {(grant.contact_id, grant.campaign) for grant in grants if grant.campaign}
        waiting = {(one.contact_id, one.campaign) for one in deferred if one.campaign}
        contacts, campaigns = _pairs(scope.campaign_sends | granted | waiting)
        if not contacts:
            return {}
        found: dict[tuple[ContactId, str], list[Send]] = {}
        for row in await self._connection.fetch(CAMPAIGN_SENDS, contacts, campaigns):
            sends = found.setdefault((ContactId(row["contact_id"]), row["campaign"]), [])
            sends.append(read_send(row["send"]))
        return found

    async def _told(self, refs: Collection[str]) -> Mapping[str, str]:
        rows = await self._connection.fetch(TOLD, list(refs)) if refs else ()
        return {row["message_ref"]: row["record"] for row in rows}

    def _remember(self, rows: Iterable[asyncpg.Record]) -> list[MessageId]:
        known: list[MessageId] = []
        for row in rows:
            if row["message_id"] is not None:
                known.append(MessageId(row["message_id"]))
                self.days[known[-1]] = (row["decided_on"], row["granted_on"])
        return known


def _pairs(pairs: Iterable[tuple[object, str]]) -> tuple[list[object], list[str]]:
    both = list(pairs)
    return [first for first, _ in both], [second for _, second in both]
