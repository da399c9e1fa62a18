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
from garbo.router.flow.cases import change_case
from garbo.router.flow.consenting import note_consent
from garbo.router.flow.contacts import leave_number, update_contact
from garbo.router.flow.directory import Directory
from garbo.router.flow.hearing import Writer, hear
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.merging import merge
from garbo.router.flow.persons import Roster, Unsettled
from garbo.router.flow.preferences import prefer
from garbo.router.flow.settling import Settling
from garbo.router.flow.sightings import Found, Heard, Sight, left_number


@dataclass(slots=True)
class Applying:
    """Applies events to a ledger, in the order they came."""

    ledger: Ledger
    directory: Directory
    sight: Sight
    found: Found
    roster: Roster

    def merge(self) -> None:
        """Make those one who turned out to be one, before anything is said of them.

        Of three who are one, two are one already when the third comes: each is looked up as who they are by
        then, and in the end every pointer leads to the last.
        """
        ledger, roster = self.ledger, self.roster
        gone: list[ContactId] = []
        for into, other in ((roster.now(a), roster.now(b)) for a, b in roster.merges):
            if into != other:
                merge(ledger, self.directory, into=into, other=other)
                roster.moved = {**roster.moved, other: into}
                gone.append(other)
        for contact_id in gone:
            pointer = replace(ledger.states[contact_id], merged_into=roster.now(contact_id))
            ledger.put(contact_id, pointer)

    def apply(self, item: Heard) -> None:
        """Apply one event."""
        event, trace = item.event, item.trace
        match event:
            case SendResult():
                Settling(self.ledger, self.directory).result(event, trace=trace)
            case MessageStatus():
                named = self.found.grant_of(event)
                grant = self.ledger.grants.get(named.message_id) if named else None
                if grant is not None:
                    Settling(self.ledger, self.directory).status(event, grant, trace=trace)
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
            self.ledger.templates.append(template)
        brand = self.directory.brand_of(change.number or "")
        contact_id = self._whose(change)
        if contact_id is not None and brand is not None:
            prefer(self.ledger, change, contact_id=contact_id, brand=brand, trace=trace)

    def _hear(self, message: InboundMessage, *, trace: str | None) -> None:
        contact_id = self._whose(message)
        if contact_id is None:
            return
        if message.kind == "system":
            if left_number(message.sender, message.changed_to):
                leave_number(self.ledger, message, contact_id=contact_id, trace=trace)
            return
        brand = self.directory.brand_of(message.number)
        if brand is not None:
            answered = self.found.by_wamid.get(platform_message_ref(message.reply_to or ""))
            writer = Writer(contact_id, brand, answered)
            hear(self.ledger, self.directory, message, writer=writer, trace=trace)

    def _told(self, event: ConsentRecorded | CaseChanged | ContactUpdated, *, trace: str | None) -> None:
        """Apply what a client says of a person; about nobody, it is refused."""
        contact_id = self._whose(event)
        if contact_id is None:
            raise Reject("unknown_contact")
        match event:
            case ConsentRecorded():
                note_consent(self.ledger, self.directory, event, contact_id=contact_id, trace=trace)
            case CaseChanged():
                change_case(self.ledger, self.directory, event, contact_id=contact_id, trace=trace)
            case ContactUpdated():
                update_contact(self.ledger, self.directory, event, contact_id=contact_id, trace=trace)

    def _whose(
        self, event: InboundMessage | ConsentRecorded | CaseChanged | ContactUpdated | PlatformChange
    ) -> ContactId | None:
        """Tell whose event it is. Raises `Unsettled` when they were erased since they were looked up."""
        shown = self.sight.shown(event)
        contact_id = self.roster.contact_of(shown) if shown else None
        if contact_id is None:
            return None
        state = self.ledger.states.get(contact_id)
        if state is None or state.erased:
            raise Unsettled
        return contact_id
