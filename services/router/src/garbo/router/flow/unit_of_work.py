"""One batch of events, applied in memory to people and grants; what to write and what to tell."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE
from garbo.router.domain.grant import OPEN, Grant, Settled
from garbo.router.domain.policy import Policy
from garbo.router.domain.send_history import pruned
from garbo.router.domain.state import RecipientState, Send, with_send, without_send
from garbo.router.domain.templates import TemplateCategory
from garbo.router.domain.values import replace
from garbo.router.flow.records import rendered, withdrawn_record
from garbo.router.ports.contacts import ConsentEvidence, Contact, Suppression
from garbo.router.ports.publisher import OutgoingRecord, Rendered
from garbo.router.ports.store import Changes, Deferred, Snapshot
from garbo.router.ports.telemetry import Meter


@dataclass(slots=True)
class UnitOfWork:
    """The books of one batch. Used once.

    What an event changes is told through the outbox, written with the change: an event that comes again
    changes nothing and tells nothing of it again. `records_to_publish` are told each time.
    """

    policy: Policy
    meter: Meter
    snapshot: Snapshot
    states: dict[ContactId, RecipientState]
    """Locked."""
    grants: dict[MessageId, Grant]
    """Locked."""
    contacts: Mapping[ContactId, Contact] = field(default_factory=dict)
    """Of whom grants may be decided again."""
    waiting: dict[MessageId, Deferred] = field(default_factory=dict)
    records_to_publish: list[OutgoingRecord] = field(default_factory=list)
    outbox: list[OutgoingRecord] = field(default_factory=list)
    templates: list[TemplateCategory] = field(default_factory=list)
    touched: set[ContactId] = field(default_factory=set)
    settled: dict[MessageId, Grant] = field(default_factory=dict)
    given: dict[MessageId, Grant] = field(default_factory=dict)
    """Granted anew."""
    deferred: dict[MessageId, Deferred] = field(default_factory=dict)
    woken: set[MessageId] = field(default_factory=set)
    freed: set[ContactId] = field(default_factory=set)
    spent: Counter[int] = field(default_factory=Counter)
    recounted: dict[tuple[ContactId, MessageId], tuple[str, Send | None]] = field(default_factory=dict)
    """What a lifetime cap counts of a campaign, as it is now."""
    evidence: list[ConsentEvidence] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    """Brand and campaign of what is called off."""
    _further: dict[MessageId, OutgoingRecord] = field(default_factory=dict)

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        return Changes(
            states={contact_id: self.states[contact_id] for contact_id in self.touched},
            further={message_id: told.content for message_id, told in self._further.items()},
            grants=tuple(self.given.values()),
            settled=tuple(self.settled.values()),
            freed=tuple(self.freed),
            spent=dict(self.spent),
            recounted=self.recounted,
            templates=tuple(self.templates),
            deferred=tuple(self.deferred.values()),
            woken=tuple(self.woken),
            evidence=tuple(self.evidence),
            suppressions=tuple(self.suppressions),
            cancelled=tuple((*campaign, self.snapshot.now_us) for campaign in sorted(self.cancelled)),
            outbox=(*self._further.values(), *self.outbox),
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        books = (self.touched, self.settled, self.given, self.deferred, self.woken, self.freed)
        told = (self.evidence, self.suppressions, self.cancelled, self.templates, self._further, self.outbox)
        return not any((*books, *told))

    def put(self, contact_id: ContactId, state: RecipientState) -> None:
        """Replace a recipient's state; the same state is no change."""
        if state != self.states[contact_id]:
            self.states[contact_id] = state
            self.touched.add(contact_id)

    def settle(self, settled: Settled, *, trace: str | None) -> None:
        """Take what became of a grant: into the grant, into the count, and into the decision."""
        before, grant = self.grants[settled.grant.message_id], settled.grant
        if settled.change == "uncount":
            self.spent.subtract(grant.budget_leases)
            grant = replace(grant, budget_leases=())
            self.freed.add(grant.contact_id)
        if grant.state not in OPEN:
            grant = replace(grant, request=None)
        if grant != before:
            self.grants[grant.message_id] = self.settled[grant.message_id] = grant
        if grant.contact_id in self.states:
            self._count(settled)
        if settled.resurrected:
            self.meter.resurrected()
        if settled.closed_reason:
            self.close(grant.message_id, reason=settled.closed_reason, trace=trace)

    def shorten(self, grant: Grant, *, until_us: int) -> None:
        """Let a lease end earlier, where a rule closes earlier than was known when it was given."""
        if until_us < grant.valid_until_us:
            shorter = replace(grant, valid_until_us=until_us)
            self.grants[grant.message_id] = self.settled[grant.message_id] = shorter

    def give(self, grant: Grant) -> None:
        """Grant a message anew, under a higher epoch; the grant it had is over."""
        before = self.settled.get(grant.message_id)
        if before and before.grant_id == grant.grant_id:
            del self.settled[grant.message_id]
        self.grants[grant.message_id] = self.given[grant.message_id] = grant

    def wait(self, waiting: Deferred) -> None:
        """Let a request wait, or wait in other terms."""
        self.waiting[waiting.message_id] = self.deferred[waiting.message_id] = waiting
        self.woken.discard(waiting.message_id)

    def dismiss(self, message_id: MessageId, *, reason: str) -> None:
        """Deny a request that waits."""
        waiting = self.waiting.pop(message_id)
        self.deferred.pop(message_id, None)
        self.woken.add(message_id)
        self.close(message_id, reason=reason, trace=waiting.trace)

    def close(self, message_id: MessageId, *, reason: str, trace: str | None) -> None:
        """Turn the decision into a deny."""
        last = self.last(message_id)
        if last is not None:
            record = withdrawn_record(last, reason=reason, now_us=self.snapshot.now_us)
            self.record(message_id, rendered(record), trace=trace)
            self.meter.decided(message_class=record.message_class, verdict=record.verdict, reason=reason)

    def last(self, message_id: MessageId) -> DecisionMade | None:
        """Give a message's last stored decision; None when nobody knows it."""
        stored = self.snapshot.decisions.get(message_id)
        return DecisionMade.model_validate_json(stored.records[-1]) if stored else None

    def record(self, message_id: MessageId, record: Rendered, *, trace: str | None) -> None:
        """Add a further record to a message's decision. Of several in one batch the last one is the one."""
        contact_id = self.snapshot.decisions[message_id].contact_id
        self._further[message_id] = OutgoingRecord(DECISION_MADE, record, contact_id, trace)

    def promos_of(self, contact_id: ContactId, *, brand: str | None = None) -> list[Grant]:
        """Give a recipient's promo grants nobody has claimed, of a brand or of all, the earliest first."""
        open_ids = {send.message_id for send in self.states[contact_id].sends if send.open}
        grants = (self.grants[message_id] for message_id in open_ids if message_id in self.grants)
        return sorted(
            (
                g
                for g in grants
                if g.state == "reserved" and g.message_class == "promo" and brand in (None, g.brand)
            ),
            key=lambda grant: (grant.not_before_us, grant.message_id.int),
        )

    def waiting_promos_of(self, contact_id: ContactId, *, brand: str | None = None) -> list[Deferred]:
        """Give a recipient's promos that wait, of a brand or of all."""
        return [w for w in self._waiting_of(contact_id) if brand in (None, w.brand) and self._is_promo(w)]

    def _waiting_of(self, contact_id: ContactId) -> Iterable[Deferred]:
        return [w for w in self.waiting.values() if w.contact_id == contact_id]

    def _is_promo(self, waiting: Deferred) -> bool:
        last = self.last(waiting.message_id)
        return last is None or last.message_class == "promo"

    def _count(self, settled: Settled) -> None:
        grant, send = settled.grant, self._send_of(settled)
        if send is None and settled.change != "uncount":
            return
        state = self.states[grant.contact_id]
        if send is None:
            counted = without_send(state, grant.message_id)
        else:
            counted = pruned(self.policy, with_send(state, send), self.snapshot.now_us)
        self.put(grant.contact_id, counted)
        given_back = send is None  # whatever the policy says now: another one may have counted it for life
        if grant.campaign is not None and (given_back or self.policy.counts_for_life):
            self.recounted[grant.contact_id, grant.message_id] = (grant.campaign, send)

    def _send_of(self, settled: Settled) -> Send | None:
        """Give the send as it counts now; None where it does not, or is forgotten."""
        match settled.change:
            case "count":
                return settled.send()
            case "arrived":
                known = self.states[settled.grant.contact_id].send_of(settled.grant.message_id)
                return None if known is None else replace(known, delivered=True)
            case _:
                return None
