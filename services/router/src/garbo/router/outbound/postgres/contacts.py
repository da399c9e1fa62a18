"""Contacts in PostgreSQL: their addresses, what lists say of them, and what is cut when one is erased."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import asyncpg

from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_us
from garbo.router.outbound.postgres.rows import read_evidence
from garbo.router.ports.contacts import Address, ConsentEvidence, ConsentKey, Contact, Link

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

CONTACTS_AT: Final = """
SELECT address_hash, contact_id, home_id FROM router.alias WHERE address_hash = ANY ($1::text[])
"""
# In one round trip: who has an address now, and when who had it before was erased.
CONTACTS_SINCE: Final = """
SELECT n.address_hash, a.contact_id, a.home_id, e.erased_at
FROM unnest($1::text[]) AS n(address_hash)
LEFT JOIN router.alias a USING (address_hash) LEFT JOIN router.erased_address e USING (address_hash)
"""
ERASED_AT: Final = """
SELECT address_hash, erased_at FROM router.erased_address WHERE address_hash = ANY ($1::text[])
"""
CREATE: Final = """
WITH fresh AS (
    INSERT INTO router.alias (address_hash, kind, value, contact_id, home_id)
    SELECT address_hash, kind, value, contact_id, contact_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS a(address_hash, kind, value, contact_id)
    ORDER BY address_hash
    ON CONFLICT DO NOTHING
    RETURNING address_hash, kind, contact_id
), people AS (
    INSERT INTO router.contact (contact_id, kind, home_id)
    SELECT contact_id, CASE kind WHEN 'group_id' THEN 'group' ELSE 'person' END, contact_id FROM fresh
), states AS (
    INSERT INTO router.recipient_state (contact_id) SELECT contact_id FROM fresh
)
SELECT address_hash, contact_id, contact_id AS home_id FROM fresh
"""
LINK: Final = """
INSERT INTO router.alias (address_hash, kind, value, contact_id, home_id, claimed_by)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[])
     AS a(address_hash, kind, value, contact_id, home_id, claimed_by)
ORDER BY address_hash
ON CONFLICT DO NOTHING
"""
# Somebody who turned out to be somebody else is found under both ids, and written to at their own home: never
# at an address that only a client links to them. A parent user id is written to last.
CONTACTS_OF: Final = """
SELECT DISTINCT ON (asked.contact_id)
       asked.contact_id AS asked_id, a.contact_id, a.address_hash, a.kind, a.value, a.home_id
FROM unnest($1::uuid[]) AS asked(contact_id)
JOIN router.contact c ON c.contact_id = asked.contact_id
JOIN router.alias a ON a.contact_id = coalesce(c.merged_into, c.contact_id) AND a.home_id = c.home_id
ORDER BY asked.contact_id, a.kind, a.value LIKE '__.ENT.%', a.linked_at DESC, a.address_hash
"""

SUPPRESSIONS: Final = """
SELECT a.contact_id, s.brand, max(s.since) AS since
FROM router.alias a JOIN router.suppression s USING (address_hash)
WHERE a.contact_id = ANY ($1::uuid[]) GROUP BY a.contact_id, s.brand
"""
RECORDED_CONSENTS: Final = """
SELECT c.* FROM router.consent_record c
JOIN unnest($1::text[], $2::uuid[]) AS asked(actor, consent_id) USING (actor, consent_id)
"""
ADDRESSES: Final = """
SELECT contact_id, kind, value, address_hash FROM router.alias
WHERE contact_id = ANY ($1::uuid[]) ORDER BY contact_id, kind, linked_at DESC, address_hash
"""
FORMER_IDS: Final = """
WITH RECURSIVE people AS (
    SELECT contact_id FROM router.contact WHERE merged_into = $1
    UNION SELECT c.contact_id FROM router.contact c JOIN people p ON c.merged_into = p.contact_id
)
SELECT contact_id FROM people ORDER BY contact_id
"""
# Whoever was merged into the person goes with them. What a client wrote as evidence may name them.
ERASE: Final = """
WITH RECURSIVE gone AS (
    SELECT unnest($1::uuid[]) AS contact_id
    UNION SELECT c.contact_id FROM router.contact c JOIN gone g ON c.merged_into = g.contact_id
), aliases AS (
    DELETE FROM router.alias a USING gone WHERE a.contact_id = gone.contact_id RETURNING a.address_hash
), remembered AS (
    INSERT INTO router.erased_address (address_hash, erased_at)
    SELECT address_hash, clock_timestamp() FROM aliases
    ON CONFLICT (address_hash) DO UPDATE SET erased_at = excluded.erased_at
), proofs AS (
    UPDATE router.consent_record c SET contact_id = NULL, recorded_for = NULL, evidence = NULL
    FROM gone
    WHERE c.contact_id = gone.contact_id
), claimed AS (
    DELETE FROM router.contact_merge m USING gone WHERE gone.contact_id IN (m.contact_id, m.into_id)
), waiting AS (
    DELETE FROM router.deferred d USING gone WHERE d.contact_id = gone.contact_id
)
DELETE FROM router.campaign_send s USING gone WHERE s.contact_id = gone.contact_id
"""


async def find_at(connection: "Connection", addresses: Iterable[Address]) -> dict[str, Contact]:
    """Find the contacts of addresses, by hash."""
    asked = {address.hash: address for address in addresses}
    if not asked:
        return {}
    return _contacts(await connection.fetch(CONTACTS_AT, list(asked)), asked)


async def get_or_create_at(
    connection: "Connection", addresses: Iterable[Address], named_at_us: Mapping[str, int]
) -> dict[str, Contact]:
    """Find the contacts of addresses, and make those that are not known.

    Left out is whose person was erased after the address was named.
    """
    asked = {address.hash: address for address in addresses}
    rows = await connection.fetch(CONTACTS_SINCE, list(asked)) if asked else ()
    left = [row for row in rows if not _is_erased(row, named_at_us.get(row["address_hash"]))]
    found = _contacts((row for row in left if row["contact_id"]), asked)
    missing = [asked[row["address_hash"]] for row in left if not row["contact_id"]]
    if missing:
        rows = await connection.fetch(CREATE, *_columns((a, ContactId(uuid4())) for a in missing))
        found.update(_contacts(rows, asked))
        if len(rows) < len(missing):  # another process made some of them just now
            found.update(await find_at(connection, (a for a in missing if a.hash not in found)))
    return found


async def find_by_id(connection: "Connection", contact_ids: Iterable[ContactId]) -> dict[ContactId, Contact]:
    """Find contacts by their own id, or one they had before a merge; unknown ones are left out."""
    rows = await connection.fetch(CONTACTS_OF, list(contact_ids))
    return {
        ContactId(row["asked_id"]): _contact(
            ContactId(row["contact_id"]),
            Address(kind=row["kind"], value=row["value"], hash=row["address_hash"]),
            row["home_id"],
        )
        for row in rows
    }


async def link_to(connection: "Connection", links: Collection[Link]) -> None:
    """Add further addresses to contacts; one that is somebody's already stays theirs."""
    columns = _columns((link.address, link.contact_id) for link in links)
    homes, clients = [link.home_id for link in links], [link.claimed_by for link in links]
    await connection.execute(LINK, *columns, homes, clients)


async def suppressions_of(
    connection: "Connection", contact_ids: Iterable[ContactId]
) -> dict[ContactId, dict[str, int]]:
    """Read what suppression lists say of people: brand or `*` -> since."""
    found: dict[ContactId, dict[str, int]] = {}
    for row in await connection.fetch(SUPPRESSIONS, list(contact_ids)):
        found.setdefault(ContactId(row["contact_id"]), {})[row["brand"]] = to_us(row["since"])
    return found


async def recorded_consents(
    connection: "Connection", keys: Collection[ConsentKey]
) -> dict[ConsentKey, ConsentEvidence | None]:
    """Find records of consent that are kept already; None for those whose person was erased since."""
    columns = [key.actor for key in keys], [key.consent_id for key in keys]
    rows = await connection.fetch(RECORDED_CONSENTS, *columns)
    return {
        ConsentKey(row["actor"], row["consent_id"]): None if row["contact_id"] is None else read_evidence(row)
        for row in rows
    }


async def erased_at(connection: "Connection", hashes: Collection[str]) -> dict[str, int]:
    """Find when people were erased, by the hash of an address they had."""
    rows = await connection.fetch(ERASED_AT, list(hashes))
    return {row["address_hash"]: to_us(row["erased_at"]) for row in rows}


async def addresses_of(
    connection: "Connection", contact_ids: Iterable[ContactId]
) -> dict[ContactId, list[Address]]:
    """Read all addresses of people, of each kind the newest first."""
    found: dict[ContactId, list[Address]] = {}
    for row in await connection.fetch(ADDRESSES, list(contact_ids)):
        address = Address(kind=row["kind"], value=row["value"], hash=row["address_hash"])
        found.setdefault(ContactId(row["contact_id"]), []).append(address)
    return found


async def former_ids_of(connection: "Connection", contact_id: ContactId) -> list[ContactId]:
    """Name the contacts that turned out to be this person."""
    rows = await connection.fetch(FORMER_IDS, contact_id)
    return [ContactId(UUID(int=row["contact_id"].int)) for row in rows]


async def erase_contacts(connection: "Connection", contact_ids: Iterable[ContactId]) -> None:
    """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
    await connection.execute(ERASE, list(contact_ids))


def _is_erased(row: asyncpg.Record, named_at_us: int | None) -> bool:
    """Say whether who had an address was erased after it was named."""
    erased_at = row["erased_at"]
    return erased_at is not None and named_at_us is not None and named_at_us <= to_us(erased_at)


def _contacts(rows: Iterable[asyncpg.Record], asked: Mapping[str, Address]) -> dict[str, Contact]:
    return {
        row["address_hash"]: _contact(
            ContactId(row["contact_id"]), asked[row["address_hash"]], row["home_id"]
        )
        for row in rows
    }


def _contact(contact_id: ContactId, address: Address, home_id: ContactId | None) -> Contact:
    return Contact(contact_id, "group" if address.kind == "group_id" else "person", address, home_id)


def _columns(aliases: Iterable[tuple[Address, ContactId]]) -> tuple[list[object], ...]:
    rows = [(a.hash, a.kind, a.value, contact_id) for a, contact_id in aliases]
    return tuple(list(column) for column in zip(*rows, strict=True))
