"""One batch of events, applied in memory to states and grants; what to write and what to tell."""

from dataclasses import dataclass, field

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE
from garbo.common.events.wire import encode
from garbo.router.domain.grant import Grant, Settled
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState, pruned, with_send, without_send
from garbo.router.domain.templates import TemplateCategory
from garbo.router.flow.records import withdrawn_record
from garbo.router.ports import Announcement, Changes, Meter, Moment


@dataclass(slots=True)
class Ledger:
    """The books of one batch. Used once."""

    policy: Policy
    meter: Meter
    moment: Moment
    states: dict[ContactId, RecipientState]
    grants: dict[MessageId, Grant]
    """Locked."""
    announcements: list[Announcement] = field(default_factory=list)
    templates: list[TemplateCategory] = field(default_factory=list)
    touched: set[ContactId] = field(default_factory=set)
    settled: dict[MessageId, Grant] = field(default_factory=dict)
    further: dict[MessageId, bytes] = field(default_factory=dict)

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        return Changes(
            states={contact_id: self.states[contact_id] for contact_id in self.touched},
            further=self.further,
            settled=tuple(self.settled.values()),
            templates=tuple(self.templates),
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.touched or self.settled or self.further or self.templates)

    def put(self, contact_id: ContactId, state: RecipientState) -> None:
        """Replace a recipient's state; the same state is no change."""
        if state != self.states[contact_id]:
            self.states[contact_id] = state
            self.touched.add(contact_id)

    def settle(self, settled: Settled, *, trace: str | None) -> None:
        """Take what became of a grant: into the grant, into the count, and into the decision."""
        grant = settled.grant
        if grant != self.grants[grant.message_id]:
            self.grants[grant.message_id] = self.settled[grant.message_id] = grant
        state = self.states.get(grant.contact_id)
        if state is not None:
            self._count(settled, state)
        if settled.resurrected:
            self.meter.resurrected()
        if settled.closed_reason:
            self._withdraw(grant, settled.closed_reason, trace=trace)

    def tell_again(self, message_id: MessageId, *, trace: str | None) -> None:
        """Tell a stored decision's last record once more."""
        stored = self.moment.decisions.get(message_id)
        if stored is None or message_id in self.further:
            return
        value = stored.records[-1]
        record = DecisionMade.model_validate_json(value)
        self.announcements.append(Announcement(DECISION_MADE, record, stored.contact_id, trace, value))

    def _count(self, settled: Settled, state: RecipientState) -> None:
        grant = settled.grant
        match settled.change:
            case "count":
                since_us = self.moment.now_us - self.policy.history_us
                self.put(grant.contact_id, pruned(with_send(state, settled.send()), since_us=since_us))
            case "uncount":
                self.put(grant.contact_id, without_send(state, grant.message_id))
            case "none":
                pass

    def _withdraw(self, grant: Grant, reason: str, *, trace: str | None) -> None:
        stored = self.moment.decisions.get(grant.message_id)
        if stored is None:
            return
        last = DecisionMade.model_validate_json(stored.records[-1])
        record = withdrawn_record(last, reason=reason, now_us=self.moment.now_us)
        value = encode(record)
        self.further[grant.message_id] = value
        self.announcements.append(Announcement(DECISION_MADE, record, grant.contact_id, trace, value))
        self.meter.decided(message_class=grant.message_class, verdict="deny", reason=reason)
