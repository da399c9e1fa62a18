"""Whose event it is: a contact may show by phone, by user id, or by both; two may turn out to be one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.ids import AddressKind, ContactId, address_hash
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Value
from garbo.router.ports.contacts import Address, Contact, ContactTransaction


class ContactsChanged(Exception):  # noqa: N818 - an answer, not an error
    """Who somebody is has to be looked at again in another transaction, knowing this."""

    def __init__(
        self, *, unknown: Sequence[Address] = (), merged: Mapping[ContactId, ContactId] | None = None
    ) -> None:
        super().__init__("people_changing")
        self.unknown = unknown
        """To be made contacts first."""
        self.merged = merged or {}


class Identity(Value, frozen=True):
    """One contact as an event names it."""

    addresses: tuple[Address, ...] = ()
    """The one to key by first."""
    contact_id: ContactId | None = None
    create: bool = True
    """Whether a stranger becomes a contact by it."""
    same_as: "Identity | None" = None
    """The same contact by another name, as a client says: what two names lead to is merged."""

    @property
    def shown_together(self) -> tuple[Address, ...]:
        """All addresses the event shows, where it shows some by each name."""
        same = self.same_as.addresses if self.same_as else ()
        return (*self.addresses, *same) if self.addresses else ()


@dataclass(slots=True)
class ContactIndex:
    """Who is who in one batch."""

    by_hash: dict[str, Contact]
    by_id: Mapping[ContactId, Contact]
    merged: Mapping[ContactId, ContactId]
    """Contacts that turned out to be another one."""
    links: dict[str, tuple[Address, ContactId]] = field(default_factory=dict)
    """Further addresses of contacts, to be written."""
    merges: list[tuple[ContactId, ContactId]] = field(default_factory=list)
    """Two contacts shown to be one: the second becomes the first."""

    def contact_of(self, identity: Identity) -> ContactId | None:
        """Tell whose event it is; None when nobody knows them."""
        if identity.contact_id is not None:
            named = self.by_id.get(identity.contact_id)
            return self.current_id(named.contact_id) if named else None
        known = (self.by_hash[a.hash] for a in identity.addresses if a.hash in self.by_hash)
        first = next(known, None)
        return self.current_id(first.contact_id) if first else None

    def current_id(self, contact_id: ContactId) -> ContactId:
        """Follow a contact to the one it turned out to be."""
        seen: set[ContactId] = set()
        while contact_id in self.merged and contact_id not in seen:
            seen.add(contact_id)
            contact_id = self.merged[contact_id]
        return contact_id

    def join_addresses(self, addresses: Sequence[Address]) -> None:
        """Make addresses shown together one contact's: new ones are linked, two contacts are to be merged."""
        known = [self.by_hash[a.hash] for a in addresses if a.hash in self.by_hash]
        if not known:
            return
        first = known[0]
        for other in known[1:]:
            self._merge(self.current_id(first.contact_id), self.current_id(other.contact_id))
        for address in addresses:
            if address.hash not in self.by_hash:
                self.links[address.hash] = (address, first.contact_id)
                self.by_hash[address.hash] = Contact(first.contact_id, first.kind, address)

    def join_names(self, identity: Identity, same: Identity) -> None:
        """Make two names one contact's. Raises `Reject` where one of them is a group's."""
        contact_id, other = self.contact_of(identity), self.contact_of(same)
        if contact_id is None:
            return
        if self._is_group(identity) != self._is_group(same):
            raise Reject("group_and_person")
        if other is not None:
            self._merge(contact_id, other)
        else:
            for address in same.addresses:
                self.links.setdefault(address.hash, (address, contact_id))

    def _merge(self, into: ContactId, other: ContactId) -> None:
        if into != other and (into, other) not in self.merges:
            self.merges.append((into, other))

    def _is_group(self, identity: Identity) -> bool:
        named = self.by_id.get(identity.contact_id) if identity.contact_id else None
        return any(a.kind == "group_id" for a in identity.addresses) or (
            named is not None and named.kind == "group"
        )


def identity_of(*names: Person | Recipient, hash_key: bytes, create: bool = True) -> Identity:
    """Give a contact by every address an event names, the one to key by first; each is hashed once.

    A parent user id (`US.ENT...`) is the person's in all linked portfolios: whoever shows it is the same one.
    """
    shown: dict[tuple[AddressKind, str], None] = {}
    contact_id = None
    for who in names:
        named: list[tuple[AddressKind, str | None]] = [("phone", who.phone), ("user_id", who.user_id)]
        if isinstance(who, Recipient):
            named.append(("group_id", who.group_id))
            contact_id = ContactId(who.contact_id) if who.contact_id else None
        else:
            named.append(("user_id", who.parent_user_id))
        shown.update(((kind, value), None) for kind, value in named if value)
    addresses = (Address(kind=k, value=v, hash=address_hash(hash_key, k, v)) for k, v in shown)
    return Identity(tuple(addresses), contact_id, create=create)


async def resolve_contacts(
    transaction: ContactTransaction, identities: Sequence[Identity], *, merged: Mapping[ContactId, ContactId]
) -> ContactIndex:
    """Find the contact of each identity. Raises `ContactsChanged` with strangers to be made contacts first.

    A contact known by one of two addresses gets the other one as well; where the two belong to different
    contacts, those are one. Raises `Reject` where a client says so of a person and a group.
    """
    named = [*identities, *(one.same_as for one in identities if one.same_as)]
    addresses = {a.hash: a for one in named for a in one.addresses}
    by_hash = dict(await transaction.contacts_at(addresses.values())) if addresses else {}
    contact_ids = {one.contact_id for one in named if one.contact_id is not None}
    contacts_index = ContactIndex(
        by_hash, await transaction.contacts_of(contact_ids) if contact_ids else {}, merged
    )
    if unknown := _unknown(identities, contacts_index):
        raise ContactsChanged(unknown=unknown)
    for one in identities:
        contacts_index.join_addresses(one.shown_together)
    for one in identities:
        if one.same_as is not None:
            contacts_index.join_names(one, one.same_as)
    return contacts_index


def check_unchanged(states: Mapping[ContactId, RecipientState]) -> None:
    """Raise `ContactsChanged` when somebody among the locked was merged or erased meanwhile."""
    merged = {c: state.merged_into for c, state in states.items() if state.merged_into is not None}
    if merged:
        raise ContactsChanged(merged=merged)


def _unknown(identities: Iterable[Identity], contacts_index: ContactIndex) -> list[Address]:
    """Give one address of each contact nobody knows, not even by another event of this batch."""
    met = set(contacts_index.by_hash)
    unknown: list[Address] = []
    for one in sorted(identities, key=lambda one: len(one.shown_together), reverse=True):
        addresses = one.shown_together
        if not addresses or not (one.create or any(a.hash in met for a in addresses)):
            continue
        if not any(address.hash in met for address in addresses):
            unknown.append(addresses[0])
        met.update(address.hash for address in addresses)
    return unknown
