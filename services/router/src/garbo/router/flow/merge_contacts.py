"""Two contacts that turned out to be one: caps, consent, windows, cases and grants follow."""

from garbo.common.events.ids import ContactId
from garbo.router.domain.merge_states import merge_states
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.identity import ContactIndex
from garbo.router.flow.reevaluation import reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork


def merge_contacts(uow: UnitOfWork, contacts: ContactIndex) -> None:
    """Make those one who turned out to be one; all are locked. The other's row is left as a pointer.

    Of three who are one, two are one already when the third comes: each is looked up as who they are by
    then, and in the end every pointer leads to the last.
    """
    pointers: list[ContactId] = []
    for pair in contacts.merges:
        into, other = map(contacts.current_id, pair)
        if into != other:
            _merge(uow, into=into, other=other)
            contacts.merged = {**contacts.merged, other: into}
            pointers.append(other)
    for contact_id in pointers:
        pointer = replace(uow.states[contact_id], merged_into=contacts.current_id(contact_id))
        uow.put(contact_id, pointer)


def _merge(uow: UnitOfWork, *, into: ContactId, other: ContactId) -> None:
    """Join all that is known of two; promos nobody has claimed that are over a cap now are taken back."""
    first, second = uow.states[into], uow.states[other]
    uow.put(into, merge_states(first, second))
    uow.put(other, RecipientState(version=second.version, merged_into=into))
    for grant in list(uow.grants.values()):
        if grant.contact_id == other:
            uow.update_grant(replace(grant, contact_id=into))
    for message_id, deferred in list(uow.deferred.items()):
        if deferred.contact_id == other:
            uow.deferred[message_id] = replace(deferred, contact_id=into)
    uow.contacts_to_recheck.add(into)
    reevaluate_promos(uow, into, trace=None)
