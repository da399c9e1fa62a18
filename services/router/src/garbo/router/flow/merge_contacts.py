"""Two contacts that turned out to be one: caps, consent, windows, cases and grants follow."""

from garbo.common.events.ids import ContactId
from garbo.router.domain.merge_states import merge_states
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.promo_reevaluation import reconsider
from garbo.router.flow.unit_of_work import UnitOfWork


def merge_contacts(
    uow: UnitOfWork, directory: Directory, *, into: ContactId, other: ContactId, trace: str | None = None
) -> None:
    """Make two contacts one; both are locked. The other's row is left as a pointer.

    Sends of both count together: promos nobody has claimed that are over a cap now are taken back.
    """
    if into == other or into not in uow.states or other not in uow.states:
        return
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
    reconsider(uow, directory, into, trace=trace)
