"""What leads from addresses to people: lists, addresses, proofs. Cut when somebody is erased."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from garbo.common.events.ids import ContactId
from garbo.router.domain.instants import to_us
from garbo.router.ports.contacts import Address

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

LISTS: Final = """
SELECT a.contact_id, s.brand, max(s.since) AS since
FROM router.alias a JOIN router.suppression s USING (address_hash)
WHERE a.contact_id = ANY ($1::uuid[]) GROUP BY a.contact_id, s.brand
"""
UNLINKED: Final = """
SELECT consent_id FROM router.consent_record WHERE consent_id = ANY ($1::uuid[]) AND contact_id IS NULL
"""
ADDRESSES: Final = """
SELECT contact_id, kind, value, address_hash FROM router.alias
WHERE contact_id = ANY ($1::uuid[]) ORDER BY contact_id, kind, linked_at DESC, address_hash
"""
# Whoever was merged into the person goes with them.
FORGET: Final = """
WITH gone AS (
    SELECT contact_id FROM router.contact
    WHERE contact_id = ANY ($1::uuid[]) OR merged_into = ANY ($1::uuid[])
), aliases AS (
    DELETE FROM router.alias a USING gone WHERE a.contact_id = gone.contact_id
), proofs AS (
    UPDATE router.consent_record c SET contact_id = NULL FROM gone WHERE c.contact_id = gone.contact_id
), waiting AS (
    DELETE FROM router.deferred d USING gone WHERE d.contact_id = gone.contact_id
)
DELETE FROM router.campaign_send s USING gone WHERE s.contact_id = gone.contact_id
"""


async def suppressions_of(
    connection: "Connection", contact_ids: Iterable[ContactId]
) -> dict[ContactId, dict[str, int]]:
    """Read what suppression lists say of people: brand or `*` -> since."""
    found: dict[ContactId, dict[str, int]] = {}
    for row in await connection.fetch(LISTS, list(contact_ids)):
        found.setdefault(ContactId(row["contact_id"]), {})[row["brand"]] = to_us(row["since"])
    return found


async def erased_consents(connection: "Connection", consent_ids: Iterable[UUID]) -> set[UUID]:
    """Name those records of consent whose person was erased since."""
    return {row["consent_id"] for row in await connection.fetch(UNLINKED, list(consent_ids))}


async def addresses_of(
    connection: "Connection", contact_ids: Iterable[ContactId]
) -> dict[ContactId, list[Address]]:
    """Read all addresses of people, of each kind the newest first."""
    found: dict[ContactId, list[Address]] = {}
    for row in await connection.fetch(ADDRESSES, list(contact_ids)):
        address = Address(kind=row["kind"], value=row["value"], hash=row["address_hash"])
        found.setdefault(ContactId(row["contact_id"]), []).append(address)
    return found


async def erase_contacts(connection: "Connection", contact_ids: Iterable[ContactId]) -> None:
    """Delete the addresses of people, unlink their proofs of consent, and forget old sends."""
    await connection.execute(FORGET, list(contact_ids))
