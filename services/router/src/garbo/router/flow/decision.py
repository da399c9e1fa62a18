"""Deciding one message over a unit of work, for the first time or again, and writing it down."""

from collections.abc import Collection, Sequence
from typing import Final

from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.topics import DECISION_MADE, SEND_CARE, SEND_PROMO
from garbo.router.domain.decide import counted, decide_prepared
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import FIRST_EPOCH, Grant
from garbo.router.domain.instants import SECOND_US
from garbo.router.domain.prepared_request import DecisionInputs, decision_inputs
from garbo.router.domain.request import UNLIMITED, BudgetLeft
from garbo.router.domain.state import WINDOW_US, RecipientState
from garbo.router.domain.values import Value, replace
from garbo.router.flow.budgets import reserve_budgets
from garbo.router.flow.records import decision_record, grant_record, new_grant
from garbo.router.flow.request import Candidate, ReceivedRequest, ResolvedRequest
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import OutgoingRecord, Rendered
from garbo.router.ports.store import Deferred, StoredDecision, Transaction

NOT_AT_ONCE_US: Final = SECOND_US
"""Whatever a rule answers, what waits again waits this long: nothing is decided in circles."""


class Outcome(Value, frozen=True):
    """One message, its decision, and the state it was decided from."""

    candidate: Candidate
    decision: Decision
    state: RecipientState
    budget_leases: tuple[int, ...] = ()
    """Of which leases of budgets it took one each."""

    @property
    def deferred_campaign(self) -> tuple[ContactId, str, str] | None:
        """Recipient, brand and campaign of a request that would wait."""
        request = self.candidate.prepared.request
        if self.decision.verdict != "defer" or request.campaign is None:
            return None
        return self.candidate.contact.contact_id, request.brand, request.campaign

    def denied(self, reason: str) -> "Outcome":
        """Give the same request denied, whenever it would have been permitted."""
        decision = self.decision
        blank = Decision(
            verdict="deny",
            reason=reason,
            message_class=decision.message_class,
            category=decision.category,
            demoted=decision.demoted,
            reclassified=decision.reclassified,
            template_unknown=decision.template_unknown,
            results=decision.results,
        )
        return replace(self, decision=blank)


async def reserve_budgets_of(
    uow: UnitOfWork, leases: BudgetLeases, transaction: Transaction, candidates: Sequence[Candidate]
) -> None:
    """Lease what candidates may come to take of budgets, before the first of them is decided."""
    if uow.policy.budgets:
        asked = [candidate.prepared for candidate in candidates]
        now_us = uow.snapshot.now_us
        uow.allowance = await reserve_budgets(leases, transaction, uow.policy, asked, now_us=now_us)


def decide_candidate(uow: UnitOfWork, candidate: Candidate) -> Outcome:
    """Decide a message that holds no slot. What is allowed counts, and has taken its share of the budgets."""
    contact_id = candidate.contact.contact_id
    candidate = _with_budgets(uow, candidate)
    before = with_campaign_sends(uow, candidate, uow.states[contact_id], but={candidate.message_id})
    decision = decide_prepared(candidate.prepared, before)
    outcome = Outcome(candidate, decision, before)
    if decision.verdict != "allow":
        return outcome
    after = counted(candidate.prepared, before, decision)
    _count_for_life(uow, candidate, before, after)
    uow.put(contact_id, after)
    if uow.allowance is None:
        return outcome
    slots = candidate.prepared.slots
    return replace(
        outcome, budget_leases=uow.allowance.spend(decision, candidate.prepared.request, slots=slots)
    )


def conclude(uow: UnitOfWork, outcome: Outcome) -> None:
    """Write down what was decided: the record, and a grant, another wait, or the end."""
    candidate, decision = outcome.candidate, outcome.decision
    before = uow.snapshot.grants.get(candidate.message_id)
    grant = new_grant(
        candidate,
        decision,
        policy_version=uow.policy.version,
        epoch=before.epoch + 1 if before else FIRST_EPOCH,
        budget_leases=outcome.budget_leases,
    )
    record_decision(uow, outcome, grant=grant)
    if grant is not None:
        uow.grant(grant)
        record_grant(uow, candidate, grant)
    if candidate.sequence == 1 and candidate.prepared.request.purpose == "care":
        unprompted = not _has_written(outcome, uow.snapshot.now_us)
        uow.meter.asked_as_care(
            client=candidate.prepared.request.client, demoted=decision.demoted, unprompted=unprompted
        )


def record_decision(uow: UnitOfWork, outcome: Outcome, *, grant: Grant | None = None) -> None:
    """Write down a decision; what is deferred waits, everything else waits no longer."""
    candidate, decision = outcome.candidate, outcome.decision
    contact_id, now_us = candidate.contact.contact_id, uow.snapshot.now_us
    record = decision_record(
        candidate,
        decision,
        policy_version=uow.policy.version,
        state_version=outcome.state.version,
        now_us=now_us,
        grant=grant,
    )
    if candidate.sequence == 1:
        inputs = decision_inputs(candidate.prepared.request, outcome.state)
        store_decision(uow, candidate, record, contact_id=contact_id, inputs=inputs)
    else:
        uow.update_decision(candidate.message_id, record, trace=candidate.received.trace)
    if decision.verdict == "defer":
        uow.defer(_deferral(uow, candidate, decision))
    elif candidate.sequence > 1:
        uow.no_longer_deferred.add(candidate.message_id)
    uow.meter.decided(message_class=decision.message_class, verdict=decision.verdict, reason=decision.reason)


def store_decision(
    uow: UnitOfWork,
    asked: Candidate | ResolvedRequest,
    record: Rendered,
    *,
    contact_id: ContactId | None,
    inputs: DecisionInputs | None = None,
) -> None:
    """Keep the first decision of a message, and tell it."""
    event = asked.received.event
    uow.new_decisions[asked.message_id] = StoredDecision(
        message_id=asked.message_id,
        client=event.client,
        request_id=event.request_id,
        body_hash=asked.body_hash,
        contact_id=contact_id,
        records=(record.value,),
        inputs=inputs,
    )
    uow.records_to_publish.append(OutgoingRecord(DECISION_MADE, record, contact_id, asked.received.trace))


def granted(received: ReceivedRequest, contact: Contact, grant: Grant) -> OutgoingRecord:
    """Give the record by which the sender learns of a grant."""
    topic = SEND_PROMO if grant.lane == "promo" else SEND_CARE
    return OutgoingRecord(topic, grant_record(received, contact, grant), grant.contact_id, received.trace)


def record_grant(uow: UnitOfWork, candidate: Candidate, grant: Grant) -> None:
    """Tell the sender of a grant: at once for a new request, through the outbox for one decided again."""
    record = granted(candidate.received, candidate.contact, grant)
    (uow.records_to_publish if candidate.sequence == 1 else uow.outbox).append(record)


def with_campaign_sends(
    uow: UnitOfWork, candidate: Candidate, state: RecipientState, *, but: Collection[MessageId]
) -> RecipientState:
    """Give the person with what of this campaign counts for life, but for what is decided just now."""
    if candidate.campaign is None or not uow.policy.counts_for_life:
        return state
    known = uow.campaign_sends.get(candidate.campaign) or uow.snapshot.campaign_sends.get(
        candidate.campaign, ()
    )
    return replace(state, campaign_sends=tuple(s for s in known if s.message_id not in but))


def _with_budgets(uow: UnitOfWork, candidate: Candidate) -> Candidate:
    if not uow.policy.budgets:
        return candidate
    left: BudgetLeft = uow.allowance.left(candidate.prepared.request) if uow.allowance else UNLIMITED
    return replace(candidate, prepared=candidate.prepared.given(left))


def _count_for_life(
    uow: UnitOfWork, candidate: Candidate, before: RecipientState, after: RecipientState
) -> None:
    if candidate.campaign is not None and uow.policy.counts_for_life:
        known = {send.message_id for send in before.sends}
        fresh = [send for send in after.sends if send.message_id not in known]
        uow.campaign_sends[candidate.campaign] = [*before.campaign_sends, *fresh]


def _has_written(outcome: Outcome, now_us: int) -> bool:
    """Say whether the person has written to a number of the brand in the last 24 h."""
    numbers, inbound_at_us = outcome.candidate.prepared.request.numbers.all, outcome.state.inbound_at_us
    return max((inbound_at_us.get(number, 0) for number in numbers), default=0) + WINDOW_US > now_us


def _deferral(uow: UnitOfWork, candidate: Candidate, decision: Decision) -> Deferred:
    """Write down that a request waits, and for how long already."""
    request, now_us = candidate.prepared.request, uow.snapshot.now_us
    earliest_us = now_us if candidate.sequence == 1 else now_us + NOT_AT_ONCE_US
    due_at_us = decision.due_at_us or decision.next_allowed_at_us or earliest_us
    return Deferred(
        message_id=candidate.message_id,
        contact_id=candidate.contact.contact_id,
        due_at_us=max(due_at_us, earliest_us),
        free_at_us=decision.next_allowed_at_us or due_at_us,
        first_decided_at_us=request.first_decided_at_us or now_us,
        expires_at_us=request.expires_at_us,
        brand=request.brand,
        campaign=request.campaign,
        priority=request.priority,
        reason=decision.reason,
        request=candidate.received.stored(),
        trace=candidate.received.trace,
        policy_version=uow.policy.version,
        home_id=candidate.contact.home_id,
    )
