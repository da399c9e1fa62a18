"""Whose event it is: a contact may show by phone, by user id, or by both; two may turn out to be one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, Recipient, is_possible
from garbo.common.events.ids import AddressKind, ContactId, address_hash
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Value
from garbo.router.ports.contacts import Address, Contact, ContactTransaction, Link


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
    said_by: str = ""
    """That client."""


class Merge(NamedTuple):
    """Two contacts that turned out to be one: the second becomes the first."""

    into: ContactId
    other: ContactId
    said_by: str | None = None
    """The client who says so; None: the platform showed it."""


@dataclass(slots=True)
class ContactIndex:
    """Who is who in one batch."""

    by_hash: dict[str, Contact]
    by_id: Mapping[ContactId, Contact]
    merged: Mapping[ContactId, ContactId]
    """Contacts that turned out to be another one."""
    links: dict[str, Link] = field(default_factory=dict)
    """Further addresses of contacts, to be written."""
    merges: list[Merge] = field(default_factory=list)
    homes: dict[ContactId, ContactId] = field(default_factory=dict)
    """Home -> the home the platform showed it to be."""
    shown_addresses: dict[str, ContactId] = field(default_factory=dict)
    """Addresses that only a client had linked -> the home the platform showed them to be of."""

    def contact_of(self, identity: Identity) -> ContactId | None:
        """Tell whose event it is; None when nobody knows them."""
        if identity.contact_id is not None:
            named = self.by_id.get(identity.contact_id)
            return self.current_id(named.contact_id) if named else None
        known = (self.by_hash[a.hash] for a in identity.addresses if a.hash in self.by_hash)
        first = next(known, None)
        return self.current_id(first.contact_id) if first else None

    def home_of(self, identity: Identity) -> ContactId | None:
        """Tell by which id one writes to them at the address they show; None for who only a client linked."""
        known = (self.by_hash[a.hash] for a in identity.addresses if a.hash in self.by_hash)
        first = next(known, None)
        return self._home_of(first) if first else None

    def current_id(self, contact_id: ContactId) -> ContactId:
        """Follow a contact to the one it turned out to be."""
        seen: set[ContactId] = set()
        while contact_id in self.merged and contact_id not in seen:
            seen.add(contact_id)
            contact_id = self.merged[contact_id]
        return contact_id

    def join_addresses(self, addresses: Sequence[Address]) -> None:
        """Make addresses the platform shows together one contact's: new ones are linked, others merged.

        Of several, one that only a client had linked is at home with the others from now on.
        """
        known = [self.by_hash[a.hash] for a in addresses if a.hash in self.by_hash]
        known.sort(key=lambda contact: contact.home_id is None)  # by whom the platform knows, if by any
        if not known:
            return
        first = known[0]
        home_id = self._home_of(first)
        for other in known[1:]:
            self._merge(Merge(self.current_id(first.contact_id), self.current_id(other.contact_id)))
            self._unite_home(other, home_id)
        for address in addresses:
            if address.hash not in self.by_hash:
                self.links[address.hash] = Link(address, first.contact_id, home_id)
                self.by_hash[address.hash] = Contact(first.contact_id, first.kind, address, home_id)

    def is_known_as(self, contact_id: ContactId, identity: Identity) -> bool:
        """Say whether all addresses of an identity are a contact's already, by more than a client's word."""
        known = [self.by_hash.get(address.hash) for address in identity.addresses]
        of_theirs = [c for c in known if c and c.home_id and self.current_id(c.contact_id) == contact_id]
        return len(of_theirs) == len(known)

    def join_shown(self, owner: Contact, addresses: Sequence[Address]) -> None:
        """Make addresses a contact's, as the platform shows them with a message that was sent to them.

        It may know a person by another number than the one that was dialled: in some countries always.
        """
        contact_id, home_id = self.current_id(owner.contact_id), self._home_of(owner)
        for address in addresses:
            known = self.by_hash.get(address.hash)
            if known is None:
                self.links[address.hash] = Link(address, contact_id, home_id)
                self.by_hash[address.hash] = Contact(contact_id, owner.kind, address, home_id)
            else:
                self._merge(Merge(contact_id, self.current_id(known.contact_id)))
                self._unite_home(known, home_id)

    def join_names(self, identity: Identity, same: Identity, *, said_by: str) -> None:
        """Make two names one contact's, as a client says. Raises `Reject` where one of them is a group's."""
        contact_id, other = self.contact_of(identity), self.contact_of(same)
        if contact_id is None:
            return
        if self._is_group(identity) != self._is_group(same):
            raise Reject("group_and_person")
        if other is not None:
            self._merge(Merge(contact_id, other, said_by))
        else:
            for address in same.addresses:
                self.links.setdefault(address.hash, Link(address, contact_id, claimed_by=said_by))

    def _merge(self, merge: Merge) -> None:
        if merge.into != merge.other and merge not in self.merges:
            self.merges.append(merge)

    def _home_of(self, contact: Contact) -> ContactId | None:
        """Give an address's home as it is by now; None for one that only a client linked."""
        home_id = contact.home_id
        while home_id in self.homes:
            home_id = self.homes[home_id]
        return home_id

    def _unite_home(self, other: Contact, home_id: ContactId | None) -> None:
        home = self._home_of(other)
        if home_id is None or home == home_id:
            return
        if home is None:
            self.shown_addresses[other.address.hash] = home_id
        else:
            self.homes[home] = home_id

    def _is_group(self, identity: Identity) -> bool:
        named = self.by_id.get(identity.contact_id) if identity.contact_id else None
        return any(a.kind == "group_id" for a in identity.addresses) or (
            named is not None and named.kind == "group"
        )


def identity_of(*names: Person | Recipient, hash_key: bytes, create: bool = True) -> Identity:
    """Give a contact by every address an event names, the one to key by first; each is hashed once.

    A parent user id (`US.ENT...`) is the person's in all linked portfolios: whoever shows it is the same one.
    A number no plan holds makes no contact of a stranger on a client's word; the platform's makes one.
    """
    shown: dict[tuple[AddressKind, str], None] = {}
    contact_id = None
    for who in names:
        named: list[tuple[AddressKind, str | None]] = [("phone", who.phone), ("user_id", who.user_id)]
        if isinstance(who, Recipient):
            create = create and (who.phone is None or is_possible(who.phone))
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
        contacts_index.join_addresses(one.addresses)
    for one in identities:
        if one.same_as is not None:
            contacts_index.join_names(one, one.same_as, said_by=one.said_by)
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
    for one in sorted(identities, key=lambda one: len(one.addresses), reverse=True):
        addresses = one.addresses
        if not addresses or not (one.create or any(a.hash in met for a in addresses)):
            continue
        if not any(address.hash in met for address in addresses):
            unknown.append(addresses[0])
        met.update(address.hash for address in addresses)
    return unknown
