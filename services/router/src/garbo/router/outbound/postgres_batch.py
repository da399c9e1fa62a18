"""One transaction over contacts, states, decisions and grants. Few round trips: everything by arrays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import asyncpg

from garbo.common.errors import RetryLater
from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant, grant_id_of
from garbo.router.domain.instants import to_us
from garbo.router.domain.state import RecipientState
from garbo.router.domain.templates import Templates
from garbo.router.outbound.postgres_templates import PostgresTemplates
from garbo.router.outbound.postgres_write import write_changes
from garbo.router.outbound.rows import read_grant, read_state
from garbo.router.ports import Address, Changes, Contact, Moment, StoredDecision

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

CONTACTS_AT: Final = "SELECT address_hash, contact_id FROM router.alias WHERE address_hash = ANY ($1::text[])"
MINT: Final = """
WITH fresh AS (
    INSERT INTO router.alias (address_hash, kind, value, contact_id)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
         AS a(address_hash, kind, value, contact_id)
    ORDER BY address_hash
    ON CONFLICT DO NOTHING
    RETURNING address_hash, kind, contact_id
), people AS (
    INSERT INTO router.contact (contact_id, kind)
    SELECT contact_id, CASE kind WHEN 'group_id' THEN 'group' ELSE 'person' END FROM fresh
), states AS (
    INSERT INTO router.recipient_state (contact_id) SELECT contact_id FROM fresh
)
SELECT address_hash, contact_id FROM fresh
"""
LINK: Final = """
INSERT INTO router.alias (address_hash, kind, value, contact_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
     AS a(address_hash, kind, value, contact_id)
ORDER BY address_hash
ON CONFLICT DO NOTHING
"""
CONTACTS_OF: Final = """
SELECT DISTINCT ON (contact_id) contact_id, address_hash, kind, value
FROM router.alias WHERE contact_id = ANY ($1::uuid[]) ORDER BY contact_id, kind, address_hash
"""
PEEK: Final = """
SELECT contact_id, version, state::text AS state
FROM router.recipient_state WHERE contact_id = ANY ($1::uuid[])
"""
LOCK: Final = f"{PEEK} ORDER BY contact_id FOR UPDATE"
GRANTS_NAMED: Final = """
SELECT * FROM router.send_grant WHERE grant_id = ANY ($1::uuid[])
UNION ALL
SELECT * FROM router.send_grant WHERE wamid = ANY ($2::text[]) AND grant_id <> ALL ($1::uuid[])
"""
LOCK_GRANTS: Final = """
SELECT * FROM router.send_grant WHERE grant_id = ANY ($1::uuid[]) ORDER BY grant_id FOR UPDATE
"""
LOOK_UP: Final = """
SELECT clock_timestamp() AS now_at, (SELECT version FROM router.template_version) AS templates_version,
       known.*
FROM (SELECT 1) AS one LEFT JOIN (
    SELECT d.message_id AS decided_id, d.client, d.request_id, d.body_hash,
           d.contact_id AS decided_contact_id, d.records, g.*
    FROM unnest($1::uuid[], $2::uuid[]) AS asked(message_id, grant_id)
    JOIN router.decision d ON d.message_id = asked.message_id
    LEFT JOIN router.send_grant g ON g.grant_id = asked.grant_id
) AS known ON true
"""


class PostgresBatch:
    """A `Batch` on one connection inside a transaction."""

    def __init__(self, connection: "Connection", templates: PostgresTemplates) -> None:
        self._connection, self._templates = connection, templates

    async def contacts_at(self, addresses: Iterable[Address], *, mint: bool) -> Mapping[str, Contact]:
        """Find the contacts of addresses, by hash; with `mint`, make those that are not known."""
        asked = {address.hash: address for address in addresses}
        found = await self._aliases(asked)
        missing = [address for address in asked.values() if address.hash not in found]
        if missing and mint:
            rows = await self._connection.fetch(MINT, *_columns((a, ContactId(uuid4())) for a in missing))
            found.update(_contacts(rows, asked))
            if len(rows) < len(missing):  # another process minted some of them just now
                found.update(await self._aliases({a.hash: a for a in missing if a.hash not in found}))
        return found

    async def contacts_of(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, Contact]:
        """Find contacts by their own id; unknown ones are left out."""
        rows = await self._connection.fetch(CONTACTS_OF, list(contact_ids))
        found = (Address(kind=row["kind"], value=row["value"], hash=row["address_hash"]) for row in rows)
        return {
            ContactId(row["contact_id"]): _contact(ContactId(row["contact_id"]), address)
            for row, address in zip(rows, found, strict=True)
        }

    async def link(self, aliases: Mapping[str, tuple[Address, ContactId]]) -> None:
        """Add further addresses (by hash) to contacts; one that is somebody's already stays theirs."""
        await self._connection.execute(LINK, *_columns(aliases.values()))

    async def grants_named(
        self, *, message_ids: Iterable[MessageId] = (), wamids: Iterable[str] = ()
    ) -> Sequence[Grant]:
        """Find grants, not locked, by message or by wamid."""
        grant_ids = [grant_id_of(message_id) for message_id in message_ids]
        rows = await self._connection.fetch(GRANTS_NAMED, grant_ids, list(wamids))
        return [read_grant(row) for row in rows]

    async def lock(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Lock the states of contacts that exist, in sorted order, until the transaction ends."""
        return _states(await self._connection.fetch(LOCK, list(contact_ids)))

    async def peek(self, contact_ids: Iterable[ContactId]) -> Mapping[ContactId, RecipientState]:
        """Read states without locking them."""
        return _states(await self._connection.fetch(PEEK, list(contact_ids)))

    async def lock_grants(self, message_ids: Iterable[MessageId]) -> Mapping[MessageId, Grant]:
        """Lock the grants of messages, in sorted order, until the transaction ends."""
        grant_ids = [grant_id_of(message_id) for message_id in message_ids]
        rows = await self._connection.fetch(LOCK_GRANTS, grant_ids)
        return {grant.message_id: grant for grant in map(read_grant, rows)}

    async def look_up(self, message_ids: Iterable[MessageId]) -> Moment:
        """Read the clock, the templates, and what is stored of these messages (grants not locked)."""
        asked = list(message_ids)
        rows = await self._connection.fetch(LOOK_UP, asked, [grant_id_of(m) for m in asked])
        known = [row for row in rows if row["decided_id"] is not None]
        decisions = {decision.message_id: decision for decision in map(_decision, known)}
        grants = {grant.message_id: grant for grant in (read_grant(r) for r in known if r["grant_id"])}
        templates = await self._templates_of(rows[0]["templates_version"])
        return Moment(to_us(rows[0]["now_at"]), templates, decisions, grants)

    async def write(self, changes: Changes) -> None:
        """Write. Raises `RetryLater` when another process has just stored one of the decisions."""
        try:
            await write_changes(self._connection, changes)
            if changes.templates:
                await self._templates.write(self._connection, changes.templates)
        except asyncpg.UniqueViolationError as error:
            raise RetryLater("decided_meanwhile") from error

    async def _templates_of(self, version: int) -> Templates:
        return await self._templates.current(self._connection, version)

    async def _aliases(self, asked: Mapping[str, Address]) -> dict[str, Contact]:
        if not asked:
            return {}
        return _contacts(await self._connection.fetch(CONTACTS_AT, list(asked)), asked)


def _contacts(rows: Iterable[asyncpg.Record], asked: Mapping[str, Address]) -> dict[str, Contact]:
    return {
        row["address_hash"]: _contact(ContactId(row["contact_id"]), asked[row["address_hash"]])
        for row in rows
    }


def _contact(contact_id: ContactId, address: Address) -> Contact:
    return Contact(contact_id, "group" if address.kind == "group_id" else "person", address)


def _columns(aliases: Iterable[tuple[Address, ContactId]]) -> tuple[list[object], ...]:
    rows = [(a.hash, a.kind, a.value, contact_id) for a, contact_id in aliases]
    return tuple(list(column) for column in zip(*rows, strict=True))


def _states(rows: Iterable[asyncpg.Record]) -> dict[ContactId, RecipientState]:
    return {ContactId(row["contact_id"]): read_state(row["version"], row["state"]) for row in rows}


def _decision(row: asyncpg.Record) -> StoredDecision:
    contact_id = row["decided_contact_id"]
    return StoredDecision(
        message_id=MessageId(row["decided_id"]),
        client=row["client"],
        request_id=row["request_id"],
        body_hash=row["body_hash"],
        contact_id=None if contact_id is None else ContactId(contact_id),
        records=tuple(row["records"]),
    )
