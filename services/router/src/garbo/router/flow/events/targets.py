"""What a batch of events is about: the contacts and grants to lock, and whose promos may be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.flow.events.handler import EventHandler, EventTargets
from garbo.router.flow.identity import ContactIndex, Identity
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

    def shown_apart(
        self, events: Sequence[EventHandler], contacts_index: ContactIndex
    ) -> list[tuple[ContactId, Identity]]:
        """Give whom the platform shows with a message that was sent to somebody else, as far as one knew.

        With each, by which id the address stands that it was sent to.
        """
        shown = [(self.grant_of(event.targets), event.targets.shown) for event in events]
        pairs = [(grant, who) for grant, who in shown if grant is not None and who is not None]
        return [
            (grant.home_id or grant.contact_id, who)
            for grant, who in pairs
            if not contacts_index.is_known_as(contacts_index.current_id(grant.contact_id), who)
        ]

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
    if apart := found.shown_apart(events, contacts_index):
        owners = await transaction.contacts_of({sent_to for sent_to, _ in apart})
        for sent_to, who in apart:
            if sent_to in owners:  # else they were erased since
                contacts_index.join_shown(owners[sent_to], who.addresses)
    for event in events:
        found.add(event, contacts_index)
    for into, other, _ in contacts_index.merges:
        found.contacts |= {into, other}
        found.may_revoke |= {into, other}
    return found
