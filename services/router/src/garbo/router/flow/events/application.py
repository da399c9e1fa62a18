"""One event after the other, applied to the books of a batch."""

from dataclasses import dataclass

from garbo.common.errors import Reject
from garbo.common.events.contacts import CampaignChanged, CaseChanged, ConsentRecorded, ContactUpdated
from garbo.common.events.ids import ContactId, platform_message_ref
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.results import SendResult
from garbo.common.events.statuses import MessageStatus
from garbo.router.domain.templates import template_change
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.case import apply_case
from garbo.router.flow.events.consent import apply_consent
from garbo.router.flow.events.contact import leave_number, update_contact
from garbo.router.flow.events.delivery import DeliveryEffects
from garbo.router.flow.events.inbound_message import Sender, apply_inbound
from garbo.router.flow.events.preference import apply_preference
from garbo.router.flow.events.targets import EventReader, EventTargets, ReceivedEvent, left_number
from garbo.router.flow.identity import ContactIndex, ContactsChanged
from garbo.router.flow.merge_contacts import merge_contacts
from garbo.router.flow.unit_of_work import UnitOfWork


@dataclass(slots=True)
class EventApplication:
    """Applies events to a ledger, in the order they came."""

    uow: UnitOfWork
    directory: Directory
    sight: EventReader
    found: EventTargets
    contacts_index: ContactIndex

    def merge_contacts(self) -> None:
        """Make those one who turned out to be one, before anything is said of them.

        Of three who are one, two are one already when the third comes: each is looked up as who they are by
        then, and in the end every pointer leads to the last.
        """
        uow, contacts_index = self.uow, self.contacts_index
        gone: list[ContactId] = []
        for into, other in ((contacts_index.now(a), contacts_index.now(b)) for a, b in contacts_index.merges):
            if into != other:
                merge_contacts(uow, self.directory, into=into, other=other)
                contacts_index.moved = {**contacts_index.moved, other: into}
                gone.append(other)
        for contact_id in gone:
            pointer = replace(uow.states[contact_id], merged_into=contacts_index.now(contact_id))
            uow.put(contact_id, pointer)

    def apply(self, item: ReceivedEvent) -> None:
        """Apply one event."""
        event, trace = item.event, item.trace
        match event:
            case SendResult():
                DeliveryEffects(self.uow, self.directory).result(event, trace=trace)
            case MessageStatus():
                named = self.found.grant_of(event)
                grant = self.uow.grants.get(named.message_id) if named else None
                if grant is not None:
                    DeliveryEffects(self.uow, self.directory).status(event, grant, trace=trace)
            case PlatformChange():
                self._change(event, trace=trace)
            case InboundMessage():
                self._hear(event, trace=trace)
            case ConsentRecorded() | CaseChanged() | ContactUpdated():
                self._told(event, trace=trace)
            case CampaignChanged():
                pass  # noted before: it is about nobody in particular

    def _change(self, change: PlatformChange, *, trace: str | None) -> None:
        if template := template_change(change):
            self.uow.templates.append(template)
        brand = self.directory.brand_of(change.number or "")
        contact_id = self._whose(change)
        if contact_id is not None and brand is not None:
            apply_preference(self.uow, change, contact_id=contact_id, brand=brand, trace=trace)

    def _hear(self, message: InboundMessage, *, trace: str | None) -> None:
        contact_id = self._whose(message)
        if contact_id is None:
            return
        if message.kind == "system":
            if left_number(message.sender, message.changed_to):
                leave_number(self.uow, message, contact_id=contact_id, trace=trace)
            return
        brand = self.directory.brand_of(message.number)
        if brand is not None:
            answered = self.found.by_wamid.get(platform_message_ref(message.reply_to or ""))
            writer = Sender(contact_id, brand, answered)
            apply_inbound(self.uow, self.directory, message, writer=writer, trace=trace)

    def _told(self, event: ConsentRecorded | CaseChanged | ContactUpdated, *, trace: str | None) -> None:
        """Apply what a client says of a person; about nobody, it is refused."""
        contact_id = self._whose(event)
        if contact_id is None:
            raise Reject("unknown_contact")
        match event:
            case ConsentRecorded():
                apply_consent(self.uow, self.directory, event, contact_id=contact_id, trace=trace)
            case CaseChanged():
                apply_case(self.uow, self.directory, event, contact_id=contact_id, trace=trace)
            case ContactUpdated():
                update_contact(self.uow, self.directory, event, contact_id=contact_id, trace=trace)

    def _whose(
        self, event: InboundMessage | ConsentRecorded | CaseChanged | ContactUpdated | PlatformChange
    ) -> ContactId | None:
        """Tell whose event it is. Raises `ContactsChanged` when they were erased meanwhile."""
        shown = self.sight.shown(event)
        contact_id = self.contacts_index.contact_of(shown) if shown else None
        if contact_id is None:
            return None
        state = self.uow.states.get(contact_id)
        if state is None or state.erased:
            raise ContactsChanged
        return contact_id
