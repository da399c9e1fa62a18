"""Whose event it is: one person may show by phone, by user id, or by both."""

from collections.abc import Iterable, Mapping, Sequence

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.ids import AddressKind, ContactId, address_hash
from garbo.router.ports import Address, Batch, Contact


def addresses_of(who: Person | Recipient, *, hash_key: bytes) -> tuple[Address, ...]:
    """Give every address an event names, the one to key by first."""
    named: list[tuple[AddressKind, str | None]] = [("phone", who.phone), ("user_id", who.user_id)]
    if isinstance(who, Recipient):
        named.append(("group_id", who.group_id))
    return tuple(
        Address(kind=kind, value=value, hash=address_hash(hash_key, kind, value))
        for kind, value in named
        if value
    )


async def meet(batch: Batch, people: Iterable[Sequence[Address]]) -> dict[str, Contact]:
    """Find or make the contact of each person, by the hash of each of their addresses.

    A person known by one of two addresses gets the other one as well. Where the two belong to different
    contacts they stay two: the first address counts.
    """
    groups = sorted((group for group in people if group), key=len, reverse=True)
    known = dict(await batch.contacts_at([a for group in groups for a in group], mint=False))
    strangers = _strangers(groups, known)
    if strangers:
        known.update(await batch.contacts_at(strangers, mint=True))
    links: dict[str, tuple[Address, ContactId]] = {}
    for group in groups:
        contact = next(known[a.hash] for a in group if a.hash in known)
        for address in group:
            if address.hash not in known:
                links[address.hash] = (address, contact.contact_id)
                known[address.hash] = Contact(contact.contact_id, contact.kind, address)
    if links:
        await batch.link(links)
    return known


def _strangers(groups: Iterable[Sequence[Address]], known: Mapping[str, Contact]) -> list[Address]:
    """Give one address of each person nobody knows, not even by another event of this batch."""
    met = set(known)
    strangers: list[Address] = []
    for group in groups:
        if not any(address.hash in met for address in group):
            strangers.append(group[0])
        met.update(address.hash for address in group)
    return strangers
