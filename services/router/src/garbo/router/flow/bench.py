"""Deciding messages again that were decided before: those that waited, and grants nobody has claimed."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from garbo.common.errors import Reject
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import SEND_CARE, SEND_PROMO, SEND_REQUESTED
from garbo.common.events.wire import decode
from garbo.router.domain.consulting import slots_of
from garbo.router.domain.decide import Decision, decide_and_count
from garbo.router.domain.instants import SECOND_US, to_us, to_us_or_none
from garbo.router.domain.policy import BudgetRule, Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import Value, field, replace
from garbo.router.flow.ask import Ask, request_of
from garbo.router.flow.directory import Directory
from garbo.router.flow.ledger import Ledger, counts_for_life
from garbo.router.flow.records import FIRST_EPOCH, new_grant
from garbo.router.flow.rendering import render_decided, render_granted
from garbo.router.flow.stock import Shelf
from garbo.router.ports import Announcement, Batch, Changes, Contact, Deferred

NOT_AT_ONCE_US: Final = SECOND_US
"""Whatever a rule answers, what waits again waits this long: nothing is decided in circles."""


async def lasting_sends(
    batch: Batch, policy: Policy, wanted: Iterable[tuple[ContactId, str | None]]
) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
    """Read what counts for life of recipients and campaigns; nothing where no rule asks for it."""
    named = {(contact_id, campaign) for contact_id, campaign in wanted if campaign}
    return await batch.campaign_sends(named) if named and counts_for_life(policy) else {}


class Again(Value, frozen=True):
    """A message to be decided again."""

    ask: Ask
    contact: Contact
    request: Request
    sequence: int
    """Of its next record."""


class Bench(Value, frozen=True):
    """Decides over the ledger of a batch; each message gets its next record, told through the outbox."""

    ledger: Ledger
    directory: Directory
    shelf: Shelf
    lasting: Mapping[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    """Sends of these recipients and campaigns that count for life, where a cap asks for them."""
    counted: dict[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    """As they are now, where one came to them."""

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        changes = self.ledger.changes()
        spent = Counter(changes.spent)
        spent.update(self.shelf.spent)
        return replace(changes, spent=dict(spent), counted=self.counted)

    def read(
        self,
        message_id: MessageId,
        value: bytes,
        contact: Contact | None,
        *,
        first_decided_at_us: int | None = None,
        trace: str | None = None,
    ) -> Again | str:
        """Give the message as it is to be decided now, or the reason to refuse it at the door."""
        stored = self.ledger.moment.decisions.get(message_id)
        if contact is None or stored is None:
            return "unknown_contact"
        try:
            event = decode(SEND_REQUESTED, value)
        except Reject:
            return "unreadable"
        if refusal := self.directory.refusal(event):
            return refusal
        ask = Ask(event, trace, message_id, b"", contact, None, value=value)
        if first_decided_at_us is None:
            first_decided_at_us = to_us(DecisionMade.model_validate_json(stored.records[0]).decided_at)
        request = replace(self._request(ask, contact), first_decided_at_us=first_decided_at_us)
        return Again(ask, contact, request, sequence=len(stored.records) + 1)

    def decide(self, again: Again) -> Decision:
        """Decide a message that holds no slot: a grant, another wait, or the end."""
        ledger, contact_id = self.ledger, again.contact.contact_id
        request = replace(again.request, budget_left=self.shelf.left(again.ask.event))
        before = self.known(again, ledger.states[contact_id], but={again.ask.message_id})
        decision, after = decide_and_count(ledger.policy, before, request, ledger.moment.now_us)
        if decision.verdict == "allow":
            self._grant(again, decision)
            self._count(again, before, after)
            ledger.put(contact_id, after)
        else:
            self.tell(again, decision)
        return decision

    def known(self, again: Again, state: RecipientState, *, but: Collection[MessageId]) -> RecipientState:
        """Give the person with what of this campaign counts for life, but for what is decided just now."""
        key = self._campaign(again)
        if key is None:
            return state
        lasting = self.counted.get(key) or self.lasting.get(key, ())
        return replace(state, campaign_sends=tuple(s for s in lasting if s.message_id not in but))

    def tell(self, again: Again, decision: Decision, *, epoch: int = FIRST_EPOCH) -> None:
        """Write down and tell what was decided; what is to wait waits, everything else waits no longer."""
        ledger = self.ledger
        record = render_decided(
            again.ask,
            again.contact,
            decision,
            policy_version=ledger.policy.version,
            state_version=ledger.states[again.contact.contact_id].version,
            now_us=ledger.moment.now_us,
            sequence=again.sequence,
            epoch=epoch,
        )
        ledger.record(again.ask.message_id, record, trace=again.ask.trace)
        ledger.meter.decided(
            message_class=decision.message_class, verdict=decision.verdict, reason=decision.reason
        )
        if decision.verdict == "defer":
            ledger.wait(self._waiting(again, decision))
        else:
            ledger.woken.add(again.ask.message_id)

    def _count(self, again: Again, before: RecipientState, after: RecipientState) -> None:
        key = self._campaign(again)
        if key is not None and counts_for_life(self.ledger.policy):
            known = {send.message_id for send in before.sends}
            fresh = [send for send in after.sends if send.message_id not in known]
            self.counted[key] = [*before.campaign_sends, *fresh]

    def _campaign(self, again: Again) -> tuple[ContactId, str] | None:
        campaign = again.request.campaign
        return None if campaign is None else (again.contact.contact_id, campaign)

    def _grant(self, again: Again, decision: Decision) -> None:
        before = self.ledger.moment.grants.get(again.ask.message_id)
        grant = new_grant(
            again.ask,
            again.contact,
            decision,
            policy_version=self.ledger.policy.version,
            epoch=before.epoch + 1 if before else FIRST_EPOCH,
            budget_slices=self._taken(again, decision),
        )
        if grant is None:
            return
        self.tell(again, decision, epoch=grant.epoch)
        self.ledger.give(grant)
        topic = SEND_PROMO if grant.lane == "promo" else SEND_CARE
        record = render_granted(again.ask, again.contact, grant)
        self.ledger.outbox.append(Announcement(topic, record, grant.contact_id, again.ask.trace))

    def _taken(self, again: Again, decision: Decision) -> tuple[int, ...]:
        slots = slots_of(self.ledger.policy, again.request)
        taken: list[int] = []
        for answer in decision.answers:
            if isinstance(answer.rule, BudgetRule):
                taken += self.shelf.take(answer.rule, again.ask.event, count=slots)
        return tuple(taken)

    def _request(self, ask: Ask, contact: Contact) -> Request:
        moment = self.ledger.moment
        request = request_of(
            ask, contact, directory=self.directory, templates=moment.templates, now_us=moment.now_us
        )
        return replace(request, gathered=True, cancelled=ask.campaign in moment.cancelled)

    def _waiting(self, again: Again, decision: Decision) -> Deferred:
        event, earliest_us = again.ask.event, self.ledger.moment.now_us + NOT_AT_ONCE_US
        due_at_us = decision.due_at_us or decision.next_allowed_at_us or earliest_us
        return Deferred(
            message_id=again.ask.message_id,
            contact_id=again.contact.contact_id,
            due_at_us=max(due_at_us, earliest_us),
            free_at_us=decision.next_allowed_at_us or due_at_us,
            first_decided_at_us=again.request.first_decided_at_us or self.ledger.moment.now_us,
            expires_at_us=to_us_or_none(event.expires_at),
            brand=event.brand,
            campaign=event.campaign,
            priority=event.priority,
            reason=decision.reason,
            request=again.ask.stored(),
            trace=again.ask.trace,
        )
