"""Two contacts that turned out to be one: caps, consent, windows, cases and grants follow.

By the platform's word for good. By a client's word as far as it goes: only of people its brands have dealt
with, no contact id is written to at the other's address, and it can be undone.
"""

from collections.abc import Iterable
from typing import Final

from garbo.common.errors import Reject
from garbo.common.events.ids import ContactId
from garbo.router.domain.merge_states import merge_states
from garbo.router.domain.state import RecipientState, known_to
from garbo.router.domain.values import replace
from garbo.router.flow.identity import ContactIndex, Merge
from garbo.router.flow.reevaluation import reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import ClaimedMerge

MOST_ADDRESSES: Final = 8
"""Of one contact, as far as clients link them: a handful. A person has a phone and a user id a portfolio."""


def merge_contacts(uow: UnitOfWork, contacts: ContactIndex) -> None:
    """Make those one who turned out to be one; all are locked. The other's row is left as a pointer.

    Of three who are one, two are one already when the third comes: each is looked up as who they are by
    then, and in the end every pointer leads to the last. Raises `Reject` where a client joins people that are
    not its own to join.
    """
    uow.homes.update(contacts.homes)
    uow.shown_addresses.update(contacts.shown_addresses)
    pointers: list[ContactId] = []
    for merge in contacts.merges:
        into, other = contacts.current_id(merge.into), contacts.current_id(merge.other)
        if into != other:
            _merge(uow, Merge(into, other, merge.said_by))
            contacts.merged = {**contacts.merged, other: into}
            pointers.append(other)
    for contact_id in pointers:
        pointer = replace(uow.states[contact_id], merged_into=contacts.current_id(contact_id))
        uow.put(contact_id, pointer)


def refuse_link(uow: UnitOfWork, contact_id: ContactId, brands: Iterable[str]) -> None:
    """Raise `Reject` where a client may link nothing to a contact, or nothing more."""
    if not known_to(uow.snapshot.states[contact_id], brands):
        raise Reject("unknown_contact")
    if len(uow.snapshot.addresses.get(contact_id, ())) > MOST_ADDRESSES:
        raise Reject("too_many_addresses")


def _merge(uow: UnitOfWork, merge: Merge) -> None:
    """Join all that is known of two; promos nobody has claimed that are over a cap now are taken back."""
    into, other = merge.into, merge.other
    first, second = uow.states[into], uow.states[other]
    if merge.said_by is not None:
        _claim(uow, merge)
    uow.put(into, merge_states(first, second))
    uow.put(other, RecipientState(version=second.version, merged_into=into))
    for grant in list(uow.grants.values()):
        if grant.contact_id == other:
            uow.update_grant(replace(grant, contact_id=into, home_id=grant.home_id or other))
    for message_id, deferred in list(uow.deferred.items()):
        if deferred.contact_id == other:
            home_id = deferred.home_id or other
            uow.deferred[message_id] = replace(deferred, contact_id=into, home_id=home_id)
    uow.contacts_to_recheck.add(into)
    reevaluate_promos(uow, into, trace=None)


def _claim(uow: UnitOfWork, merge: Merge) -> None:
    """Keep both as they are before a client joins them. Raises `Reject` where it may not."""
    client, into, other = merge.said_by or "", uow.states[merge.into], uow.states[merge.other]
    brands = uow.directory.brands_of(client)
    if not (known_to(into, brands) and known_to(other, brands)):
        raise Reject("unknown_contact")
    if sum(len(uow.snapshot.addresses.get(who, ())) for who in (merge.into, merge.other)) > MOST_ADDRESSES:
        raise Reject("too_many_addresses")
    at_us = uow.snapshot.now_us
    uow.claimed_merges.append(ClaimedMerge(merge.other, merge.into, client, at_us, other, into))
