"""Two contacts that turned out to be one: caps, consent, windows, cases and grants follow."""

from garbo.common.events.ids import ContactId
from garbo.router.domain.merge_states import merge_states
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.identity import ContactIndex
from garbo.router.flow.promo_reevaluation import reconsider
from garbo.router.flow.unit_of_work import UnitOfWork


def merge_contacts(uow: UnitOfWork, directory: Directory, contacts_index: ContactIndex) -> None:
    """Make those one who turned out to be one; all are locked. The other's row is left as a pointer.

    Of three who are one, two are one already when the third comes: each is looked up as who they are by
    then, and in the end every pointer leads to the last.
    """
    pointers: list[ContactId] = []
    for pair in contacts_index.merges:
        into, other = map(contacts_index.current_id, pair)
        if into != other:
            _merge(uow, directory, into=into, other=other)
            contacts_index.merged = {**contacts_index.merged, other: into}
            pointers.append(other)
    for contact_id in pointers:
        pointer = replace(uow.states[contact_id], merged_into=contacts_index.current_id(contact_id))
        uow.put(contact_id, pointer)


def _merge(uow: UnitOfWork, directory: Directory, *, into: ContactId, other: ContactId) -> None:
    """Join all that is known of two; promos nobody has claimed that are over a cap now are taken back."""
    first, second = uow.states[into], uow.states[other]
    uow.put(into, merge_states(first, second))
    uow.put(other, RecipientState(version=second.version, merged_into=into))
    for message_id, grant in list(uow.grants.items()):
        if grant.contact_id == other:
            moved = replace(grant, contact_id=into)
            uow.grants[message_id] = uow.settled[message_id] = moved
    for message_id, waiting in list(uow.waiting.items()):
        if waiting.contact_id == other:
            uow.waiting[message_id] = replace(waiting, contact_id=into)
    uow.freed.add(into)
    reconsider(uow, directory, into, trace=None)
