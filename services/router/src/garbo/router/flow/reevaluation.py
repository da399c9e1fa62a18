"""Deciding messages again that were decided before: those that waited, and grants nobody has claimed."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from garbo.common.errors import Reject
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import SEND_CARE, SEND_PROMO, SEND_REQUESTED
from garbo.common.events.wire import decode
from garbo.router.domain.decide import decide_and_count
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import SECOND_US, to_us, to_us_or_none
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import Value, field, replace
from garbo.router.flow.budgets import BudgetAllowance
from garbo.router.flow.directory import Directory
from garbo.router.flow.record_bytes import render_decided, render_granted
from garbo.router.flow.records import FIRST_EPOCH, new_grant
from garbo.router.flow.request import ResolvedRequest, request_of
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Changes, Deferred, Transaction

NOT_AT_ONCE_US: Final = SECOND_US
"""Whatever a rule answers, what waits again waits this long: nothing is decided in circles."""


async def campaign_sends_of_contacts(
    batch: Transaction, policy: Policy, wanted: Iterable[tuple[ContactId, str | None]]
) -> Mapping[tuple[ContactId, str], Sequence[Send]]:
    """Read what counts for life of recipients and campaigns; nothing where no rule asks for it."""
    named = {(contact_id, campaign) for contact_id, campaign in wanted if campaign}
    return await batch.campaign_sends(named) if named and policy.counts_for_life else {}


class StoredRequest(Value, frozen=True):
    """A message to be decided again."""

    ask: ResolvedRequest
    contact: Contact
    request: Request
    sequence: int
    """Of its next record."""


class Reevaluator(Value, frozen=True):
    """Decides over the ledger of a batch; each message gets its next record, told through the outbox."""

    uow: UnitOfWork
    directory: Directory
    allowance: BudgetAllowance
    lasting: Mapping[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    """Sends of these recipients and campaigns that count for life, where a cap asks for them."""
    counted: dict[tuple[ContactId, str], Sequence[Send]] = field(default_factory=dict)
    """As they are now, where one came to them."""

    def changes(self) -> Changes:
        """Give what must be written before anything is told."""
        changes = self.uow.changes()
        spent = Counter(changes.spent)
        spent.update(self.allowance.spent)
        return replace(changes, spent=dict(spent), counted=self.counted)

    def read(
        self,
        message_id: MessageId,
        value: bytes,
        contact: Contact | None,
        *,
        first_decided_at_us: int | None = None,
        trace: str | None = None,
    ) -> StoredRequest | str:
        """Give the message as it is to be decided now, or the reason to refuse it at the door."""
        stored = self.uow.snapshot.decisions.get(message_id)
        if contact is None or stored is None:
            return "unknown_contact"
        try:
            event = decode(SEND_REQUESTED, value)
        except Reject:
            return "unreadable"
        if refusal := self.directory.refusal(event):
            return refusal
        ask = ResolvedRequest(event, trace, message_id, b"", contact, None, value=value)
        if first_decided_at_us is None:
            first_decided_at_us = to_us(DecisionMade.model_validate_json(stored.records[0]).decided_at)
        request = replace(self._request(ask, contact), first_decided_at_us=first_decided_at_us)
        return StoredRequest(ask, contact, request, sequence=len(stored.records) + 1)

    def decide(self, again: StoredRequest) -> Decision:
        """Decide a message that holds no slot: a grant, another wait, or the end."""
        uow, contact_id = self.uow, again.contact.contact_id
        request = replace(again.request, budget_left=self.allowance.left(again.ask.event))
        before = self.known(again, uow.states[contact_id], but={again.ask.message_id})
        decision, after = decide_and_count(uow.policy, before, request, uow.snapshot.now_us)
        if decision.verdict == "allow":
            self._grant(again, decision)
            self._count(again, before, after)
            uow.put(contact_id, after)
        else:
            self.tell(again, decision)
        return decision

    def known(
        self, again: StoredRequest, state: RecipientState, *, but: Collection[MessageId]
    ) -> RecipientState:
        """Give the person with what of this campaign counts for life, but for what is decided just now."""
        key = self._campaign(again)
        if key is None:
            return state
        lasting = self.counted.get(key) or self.lasting.get(key, ())
        return replace(state, campaign_sends=tuple(s for s in lasting if s.message_id not in but))

    def tell(self, again: StoredRequest, decision: Decision, *, epoch: int = FIRST_EPOCH) -> None:
        """Write down and tell what was decided; what is to wait waits, everything else waits no longer."""
        uow = self.uow
        record = render_decided(
            again.ask,
            again.contact,
            decision,
            policy_version=uow.policy.version,
            state_version=uow.states[again.contact.contact_id].version,
            now_us=uow.snapshot.now_us,
            sequence=again.sequence,
            epoch=epoch,
        )
        uow.record(again.ask.message_id, record, trace=again.ask.trace)
        uow.meter.decided(
            message_class=decision.message_class, verdict=decision.verdict, reason=decision.reason
        )
        if decision.verdict == "defer":
            uow.wait(self._waiting(again, decision))
        else:
            uow.woken.add(again.ask.message_id)

    def _count(self, again: StoredRequest, before: RecipientState, after: RecipientState) -> None:
        key = self._campaign(again)
        if key is not None and self.uow.policy.counts_for_life:
            known = {send.message_id for send in before.sends}
            fresh = [send for send in after.sends if send.message_id not in known]
            self.counted[key] = [*before.campaign_sends, *fresh]

    def _campaign(self, again: StoredRequest) -> tuple[ContactId, str] | None:
        campaign = again.request.campaign
        return None if campaign is None else (again.contact.contact_id, campaign)

    def _grant(self, again: StoredRequest, decision: Decision) -> None:
        before = self.uow.snapshot.grants.get(again.ask.message_id)
        grant = new_grant(
            again.ask,
            again.contact,
            decision,
            policy_version=self.uow.policy.version,
            epoch=before.epoch + 1 if before else FIRST_EPOCH,
            budget_leases=self.allowance.spend(
                decision, again.ask.event, slots=self.uow.policy.counting.slots(again.request.parts)
            ),
        )
        if grant is None:
            return
        self.tell(again, decision, epoch=grant.epoch)
        self.uow.give(grant)
        topic = SEND_PROMO if grant.lane == "promo" else SEND_CARE
        record = render_granted(again.ask, again.contact, grant)
        self.uow.outbox.append(OutgoingRecord(topic, record, grant.contact_id, again.ask.trace))

    def _request(self, ask: ResolvedRequest, contact: Contact) -> Request:
        snapshot = self.uow.snapshot
        request = request_of(
            ask, contact, directory=self.directory, templates=snapshot.templates, now_us=snapshot.now_us
        )
        return replace(request, gathered=True, cancelled=ask.campaign in snapshot.cancelled)

    def _waiting(self, again: StoredRequest, decision: Decision) -> Deferred:
        event, earliest_us = again.ask.event, self.uow.snapshot.now_us + NOT_AT_ONCE_US
        due_at_us = decision.due_at_us or decision.next_allowed_at_us or earliest_us
        return Deferred(
            message_id=again.ask.message_id,
            contact_id=again.contact.contact_id,
            due_at_us=max(due_at_us, earliest_us),
            free_at_us=decision.next_allowed_at_us or due_at_us,
            first_decided_at_us=again.request.first_decided_at_us or self.uow.snapshot.now_us,
            expires_at_us=to_us_or_none(event.expires_at),
            brand=event.brand,
            campaign=event.campaign,
            priority=event.priority,
            reason=decision.reason,
            request=again.ask.stored(),
            trace=again.ask.trace,
        )
