"""One transaction over contacts, states, decisions and grants. Few round trips: everything by arrays."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant, grant_id_of
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import RecipientState, Send
from garbo.router.flow.state_json import read_send, read_state
from garbo.router.outbound.postgres.budgets import lock_leases
from garbo.router.outbound.postgres.contacts import find_at, find_by_id, get_or_create_at, link_to
from garbo.router.outbound.postgres.erasure import (
    addresses_of,
    erase_contacts,
    erased_consents,
    suppressions_of,
)
from garbo.router.outbound.postgres.rows import day_of_date, read_decision, read_deferred, read_grant
from garbo.router.outbound.postgres.save import Writer
from garbo.router.outbound.postgres.templates import PostgresTemplates
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import Address, Contact
from garbo.router.ports.store import Changes, Deferred, Snapshot, StoredDecision

if TYPE_CHECKING:
    from datetime import date

    from garbo.common.runtime.postgres import Connection

PEEK: Final = """
SELECT contact_id, version, state FROM router.recipient_state WHERE contact_id = ANY ($1::uuid[])
"""
LOCK: Final = f"{PEEK} ORDER BY contact_id FOR UPDATE"
# On which days a message was decided and last granted: a message is asked for by its id alone, the tables are
# by day. Seen ids are kept by month, and two months hold one id only around midnight.
SEEN: Final = """
SELECT DISTINCT ON (message_id) message_id, decided_on, granted_on
FROM router.request_seen WHERE message_id = ANY ($1::uuid[]) ORDER BY message_id, month DESC
"""
LOOK_UP: Final = f"""
SELECT clock_timestamp() AS now_at, (SELECT version FROM router.template_version) AS templates_version,
       (SELECT coalesce(array_agg(ARRAY[c.brand, c.campaign]), '{{}}') FROM router.campaign c
        JOIN unnest($2::text[], $3::text[]) AS asked(brand, campaign) USING (brand, campaign)) AS cancelled,
       seen.*
FROM (SELECT 1) AS one LEFT JOIN ({SEEN}) AS seen ON true
"""  # noqa: S608 - joined from constants
DECISIONS: Final = """
SELECT message_id, client, request_id, body_hash, contact_id, records, facts
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
WAITING: Final = "SELECT * FROM router.deferred WHERE contact_id = ANY ($1::uuid[])"
CAMPAIGN_SENDS: Final = """
SELECT s.contact_id, s.campaign, s.send FROM router.campaign_send s
JOIN unnest($1::uuid[], $2::text[]) AS asked(contact_id, campaign) USING (contact_id, campaign)
ORDER BY s.contact_id, s.campaign, s.message_id
"""


class PostgresTransaction:
    """A `Batch` on one connection inside a transaction."""

    def __init__(self, connection: "Connection", templates: PostgresTemplates) -> None:
        self._connection, self._templates = connection, templates
        self._days: dict[MessageId, tuple[date, date | None]] = {}

    async def contacts_at(self, addresses: Iterable[Address], *, create: bool) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; with `create`, make those that are not known."""
        return await (get_or_create_at if create else find_at)(self._connection, addresses)

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id; unknown ones are left out."""
        return await find_by_id(self._connection, contact_ids)

    async def link(self, aliases: Mapping[str, tuple[Address, ContactId]]) -> None:
        """Add further addresses (by hash) to contacts; one that is somebody's already stays theirs."""
        await link_to(self._connection, aliases)

    async def grants_named(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by wamid."""
        found = await self._grants(await self._seen(message_ids), sql=GRANTS)
        if texts := list(wamids):
            rows = await self._connection.fetch(GRANTS_OF_WAMIDS, texts)
            for grant in map(read_grant, rows):
                found.setdefault(grant.message_id, grant)
        return list(found.values())

    async def lock(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Lock the states of contacts that exist, in sorted order, until the transaction ends."""
        return _states(await self._connection.fetch(LOCK, list(contact_ids)))

    async def read_states(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Read states without locking them."""
        return _states(await self._connection.fetch(PEEK, list(contact_ids)))

    async def lock_grants(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Grant]:
        """Lock the newest grants of messages, in sorted order, until the transaction ends."""
        return await self._grants(await self._seen(message_ids), sql=LOCK_GRANTS)

    async def load_snapshot(
        self, message_ids: Iterable[MessageId], *, campaigns: Iterable[tuple[str, str]] = ()
    ) -> Snapshot:
        """Read the clock, the templates, and what is stored of these messages (grants not locked)."""
        brands, names = _pairs(campaigns)
        rows = await self._connection.fetch(LOOK_UP, list(message_ids), brands, names)
        first = rows[0]
        known = self._remember(rows)
        return Snapshot(
            now_us=to_us(first["now_at"]),
            templates=await self._templates.current(self._connection, first["templates_version"]),
            decisions=await self._decisions(known),
            grants=await self._grants(known, sql=GRANTS),
            deferred=await self._deferred(known),
            cancelled=frozenset((brand, campaign) for brand, campaign in first["cancelled"]),
        )

    async def waiting(self, contact_ids: Iterable[ContactId]) -> Sequence[Deferred]:
        """Read all requests of these recipients that wait."""
        return [read_deferred(row) for row in await self._connection.fetch(WAITING, list(contact_ids))]

    async def campaign_sends(
        self, wanted: Iterable[tuple[ContactId, str]]
    ) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
        """Read the sends under a lifetime cap of recipients and campaigns; those without any are left out."""
        contacts, campaigns = _pairs(wanted)
        found: dict[tuple[ContactId, str], list[Send]] = {}
        for row in await self._connection.fetch(CAMPAIGN_SENDS, contacts, campaigns):
            sends = found.setdefault((ContactId(row["contact_id"]), row["campaign"]), [])
            sends.append(read_send(row["send"]))
        return found

    async def lock_leases(self, lease_ids: Iterable[int]) -> Sequence[BudgetLease]:
        """Lock this process's slices of budgets, after people and grants, and read what is left in them."""
        return await lock_leases(self._connection, lease_ids)

    async def suppressions_of(
        self, contact_ids: Iterable[ContactId]
    ) -> Mapping[ContactId, Mapping[str, int]]:
        """Read what suppression lists say of people, by any of their addresses: brand or `*` -> since."""
        return await suppressions_of(self._connection, contact_ids)

    async def erased_consents(self, consent_ids: Iterable[UUID]) -> Collection[UUID]:
        """Name those records of consent whose person was erased since."""
        return await erased_consents(self._connection, consent_ids)

    async def addresses_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Sequence[Address]]:
        """Read all addresses of people."""
        return await addresses_of(self._connection, contact_ids)

    async def erase_contacts(self, contact_ids: Iterable[ContactId]) -> None:
        """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
        await erase_contacts(self._connection, contact_ids)

    async def write(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when another process has just stored one of the decisions."""
        await self._seen(m for m in changes.further if m not in self._days)
        writer = Writer(self._connection, decided_on={m: days[0] for m, days in self._days.items()})
        try:
            await writer.write(changes)
            if changes.templates:
                await self._templates.write(self._connection, changes.templates)
        except asyncpg.UniqueViolationError as error:
            raise RetryLater("decided_meanwhile") from error

    async def _decisions(self, known: Sequence[MessageId]) -> dict[MessageId, StoredDecision]:
        if not known:
            return {}
        days = list({self._days[message_id][0] for message_id in known})
        rows = await self._connection.fetch(DECISIONS, known, days)
        return {decision.message_id: decision for decision in map(read_decision, rows)}

    async def _grants(self, known: Iterable[MessageId], *, sql: str) -> dict[MessageId, Grant]:
        named = [(m, on) for m, on in ((m, self._days[m][1]) for m in known) if on is not None]
        if not named:
            return {}
        grant_ids = [grant_id_of(message_id, day_of_date(on)) for message_id, on in named]
        rows = await self._connection.fetch(sql, grant_ids, list({on for _, on in named}))
        return {grant.message_id: grant for grant in map(read_grant, rows)}

    async def _deferred(self, known: Sequence[MessageId]) -> dict[MessageId, Deferred]:
        if not known:
            return {}
        rows = await self._connection.fetch(DEFERRED, known)
        return {waiting.message_id: waiting for waiting in map(read_deferred, rows)}

    async def _seen(self, message_ids: Iterable[MessageId]) -> list[MessageId]:
        """Find which messages are known, and their days: asked anew, a grant may be of a later day now."""
        asked = list(message_ids)
        return self._remember(await self._connection.fetch(SEEN, asked)) if asked else []

    def _remember(self, rows: Iterable[asyncpg.Record]) -> list[MessageId]:
        known: list[MessageId] = []
        for row in rows:
            if row["message_id"] is not None:
                known.append(MessageId(row["message_id"]))
                self._days[known[-1]] = (row["decided_on"], row["granted_on"])
        return known


def _states(rows: Iterable[asyncpg.Record]) -> dict[ContactId, RecipientState]:
    return {ContactId(row["contact_id"]): read_state(row["version"], row["state"]) for row in rows}


def _pairs(pairs: Iterable[tuple[object, str]]) -> tuple[list[object], list[str]]:
    both = list(pairs)
    return [first for first, _ in both], [second for _, second in both]
