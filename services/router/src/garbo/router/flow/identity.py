"""Whose event it is: one person may show by phone, by user id, or by both, and two may turn out to be one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.ids import AddressKind, ContactId, address_hash
from garbo.router.domain.state import RecipientState
from garbo.router.ports.contacts import Address, Contact
from garbo.router.ports.store import Transaction


class ContactsChanged(Exception):  # noqa: N818 - an answer, not an error
    """Who somebody is has to be looked at again in another transaction, knowing this."""

    def __init__(
        self, *, strangers: Sequence[Address] = (), moved: Mapping[ContactId, ContactId] | None = None
    ) -> None:
        super().__init__("people_changing")
        self.strangers = strangers
        self.moved = moved or {}


@dataclass(frozen=True, slots=True)
class Identity:
    """One person as an event shows them."""

    addresses: tuple[Address, ...] = ()
    """The one to key by first."""
    contact_id: ContactId | None = None
    create: bool = True
    """Whether a stranger becomes a contact by it."""


@dataclass(slots=True)
class ContactIndex:
    """Who is who in one batch."""

    by_hash: dict[str, Contact]
    by_id: Mapping[ContactId, Contact]
    moved: Mapping[ContactId, ContactId]
    """Contacts that turned out to be another one."""
    links: dict[str, tuple[Address, ContactId]] = field(default_factory=dict)
    """Further addresses of people, to be written."""
    merges: list[tuple[ContactId, ContactId]] = field(default_factory=list)
    """Two contacts shown to be one: the second becomes the first."""

    def contact_of(self, shown: Identity) -> ContactId | None:
        """Tell whose event it is; None when nobody knows them."""
        if shown.contact_id is not None:
            named = self.by_id.get(shown.contact_id)
            return self.now(named.contact_id) if named else None
        known = (self.by_hash[a.hash] for a in shown.addresses if a.hash in self.by_hash)
        first = next(known, None)
        return self.now(first.contact_id) if first else None

    def is_group(self, shown: Identity) -> bool:
        """Say whether it is a group that is shown."""
        named = self.by_id.get(shown.contact_id) if shown.contact_id else None
        return any(a.kind == "group_id" for a in shown.addresses) or (
            named is not None and named.kind == "group"
        )

    def now(self, contact_id: ContactId) -> ContactId:
        """Follow a contact to the one it turned out to be."""
        seen: set[ContactId] = set()
        while contact_id in self.moved and contact_id not in seen:
            seen.add(contact_id)
            contact_id = self.moved[contact_id]
        return contact_id


def addresses_of(who: Person | Recipient, *, hash_key: bytes) -> tuple[Address, ...]:
    """Give every address an event names, the one to key by first.

    A parent user id (`US.ENT...`) is the person's in all linked portfolios: whoever shows it is the same one.
    """
    named: list[tuple[AddressKind, str | None]] = [("phone", who.phone), ("user_id", who.user_id)]
    if isinstance(who, Recipient):
        named.append(("group_id", who.group_id))
    else:
        named.append(("user_id", who.parent_user_id))
    return tuple(
        Address(kind=kind, value=value, hash=address_hash(hash_key, kind, value))
        for kind, value in named
        if value
    )


def group_address(group_id: str, *, hash_key: bytes) -> Address:
    """Give the address of a group."""
    return Address(kind="group_id", value=group_id, hash=address_hash(hash_key, "group_id", group_id))


async def resolve_contacts(
    batch: Transaction, people: Collection[Identity], *, moved: Mapping[ContactId, ContactId]
) -> ContactIndex:
    """Find the contact of each person. Raises `ContactsChanged` with strangers to be made contacts first.

    A person known by one of two addresses gets the other one as well; where the two belong to different
    contacts, those are one.
    """
    addresses = {a.hash: a for shown in people for a in shown.addresses}
    by_hash = dict(await batch.contacts_at(addresses.values(), create=False)) if addresses else {}
    named = {shown.contact_id for shown in people if shown.contact_id is not None}
    contacts_index = ContactIndex(by_hash, await batch.contacts_of(named) if named else {}, moved)
    if strangers := _strangers(people, contacts_index):
        raise ContactsChanged(strangers=strangers)
    for shown in people:
        _join(contacts_index, shown.addresses)
    return contacts_index


def check_unchanged(states: Mapping[ContactId, RecipientState]) -> None:
    """Raise `ContactsChanged` when somebody among the locked was merged or erased meanwhile."""
    moved = {c: state.merged_into for c, state in states.items() if state.merged_into is not None}
    if moved:
        raise ContactsChanged(moved=moved)


def _strangers(people: Iterable[Identity], contacts_index: ContactIndex) -> list[Address]:
    """Give one address of each person nobody knows, not even by another event of this batch."""
    met = set(contacts_index.by_hash)
    strangers: list[Address] = []
    for shown in sorted(people, key=lambda shown: len(shown.addresses), reverse=True):
        if not shown.addresses or not (shown.create or any(a.hash in met for a in shown.addresses)):
            continue
        if not any(address.hash in met for address in shown.addresses):
            strangers.append(shown.addresses[0])
        met.update(address.hash for address in shown.addresses)
    return strangers


def _join(contacts_index: ContactIndex, addresses: Sequence[Address]) -> None:
    known = [contacts_index.by_hash[a.hash] for a in addresses if a.hash in contacts_index.by_hash]
    if not known:
        return
    first = known[0]
    for other in known[1:]:
        pair = (contacts_index.now(first.contact_id), contacts_index.now(other.contact_id))
        if pair[0] != pair[1] and pair not in contacts_index.merges:
            contacts_index.merges.append(pair)
    for address in addresses:
        if address.hash not in contacts_index.by_hash:
            contacts_index.links[address.hash] = (address, first.contact_id)
            contacts_index.by_hash[address.hash] = Contact(first.contact_id, first.kind, address)
