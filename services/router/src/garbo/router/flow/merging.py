"""Two contacts that turned out to be one: caps, consent, windows, cases and grants follow."""

from garbo.common.events.ids import ContactId
from garbo.router.domain.state import RecipientState
from garbo.router.domain.uniting import united
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.reconsidering import reconsider


def merge(
    ledger: Ledger, directory: Directory, *, into: ContactId, other: ContactId, trace: str | None = None
) -> None:
    """Make two contacts one; both are locked. The other's row is left as a pointer.

    Sends of both count together: promos nobody has claimed that are over a cap now are taken back.
    """
    if into == other or into not in ledger.states or other not in ledger.states:
        return
    first, second = ledger.states[into], ledger.states[other]
    ledger.put(into, united(first, second))
    ledger.put(other, RecipientState(version=second.version, merged_into=into))
    for message_id, grant in list(ledger.grants.items()):
        if grant.contact_id == other:
            moved = replace(grant, contact_id=into)
            ledger.grants[message_id] = ledger.settled[message_id] = moved
    for message_id, waiting in list(ledger.waiting.items()):
        if waiting.contact_id == other:
            ledger.waiting[message_id] = replace(waiting, contact_id=into)
    ledger.freed.add(into)
    reconsider(ledger, directory, into, trace=trace)
