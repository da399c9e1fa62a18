"""What a batch of events is about: the contacts and grants to lock, and whose promos may be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.flow.events.handler import EventHandler, EventTargets
from garbo.router.flow.identity import ContactIndex
from garbo.router.ports.store import Transaction


@dataclass(slots=True)
class BatchTargets:
    """What the events of a batch are about."""

    by_message: dict[MessageId, Grant] = field(default_factory=dict)
    by_wamid: dict[str, Grant] = field(default_factory=dict)
    contacts: set[ContactId] = field(default_factory=set)
    """To be locked."""
    may_revoke: set[ContactId] = field(default_factory=set)
    """Whose promos, granted or waiting, may be taken back."""
    settling: set[MessageId] = field(default_factory=set)
    """Whose grants the events settle."""

    def grant_of(self, targets: EventTargets) -> Grant | None:
        """Give the grant an event is about, as it was before the locks."""
        if targets.message_id is not None:
            return self.by_message.get(targets.message_id)
        return self.by_wamid.get(targets.wamid or "")

    def add(self, event: EventHandler, contacts_index: ContactIndex) -> None:
        """Add what one event is about."""
        targets = event.targets
        contact_id = contacts_index.contact_of(targets.contact) if targets.contact else None
        if targets.settles and (grant := self.grant_of(targets)):
            self.settling.add(grant.message_id)
            contact_id = contacts_index.current_id(grant.contact_id)
        if contact_id is not None:
            self.contacts.add(contact_id)
            if event.may_revoke:
                self.may_revoke.add(contact_id)


async def find_targets(
    transaction: Transaction, events: Sequence[EventHandler], contacts_index: ContactIndex
) -> BatchTargets:
    """Find the grants of messages by id and wamid, and whose promos may be taken back."""
    found = BatchTargets()
    message_ids = {m for event in events if (m := event.targets.message_id)}
    wamids = {w for event in events if (w := event.targets.wamid)}
    if message_ids or wamids:
        for grant in await transaction.find_grants(message_ids=message_ids, wamids=wamids):
            found.by_message[grant.message_id] = grant
            if grant.wamid:
                found.by_wamid[grant.wamid] = grant
    for event in events:
        found.add(event, contacts_index)
    for into, other, _ in contacts_index.merges:
        found.contacts |= {into, other}
        found.may_revoke |= {into, other}
    return found
