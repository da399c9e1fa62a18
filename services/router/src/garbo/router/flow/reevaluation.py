"""Deciding messages again that were decided before: deferred ones, and grants nobody has claimed."""

from collections.abc import Iterable, Iterator, Sequence

from garbo.common.errors import Reject
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.events.wire import decode
from garbo.router.domain.decide import counted, decide_prepared
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import Grant, revoke
from garbo.router.domain.instants import to_us
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.request import UNLIMITED
from garbo.router.domain.state import with_send, without_send
from garbo.router.domain.values import Value, replace
from garbo.router.flow.decision import Outcome, record_decision, record_grant, with_campaign_sends
from garbo.router.flow.records import new_grant
from garbo.router.flow.request import Candidate, ReceivedRequest, request_of
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.store import Deferred


class GrantedCandidate(Value, frozen=True):
    """A grant nobody has claimed, and its message as it is to be decided again."""

    grant: Grant
    candidate: Candidate


def stored_candidate(
    uow: UnitOfWork,
    held: Deferred | Grant,
    value: bytes,
    *,
    first_decided_at_us: int | None = None,
    trace: str | None = None,
) -> Candidate | str:
    """Give a stored request as it is to be decided now, or the reason to refuse it before the rules.

    It goes to the address it was asked for, whoever its person turned out to be since.
    """
    message_id, contact_id = held.message_id, held.contact_id
    contact = uow.snapshot.contacts.get(held.home_id or contact_id) if contact_id in uow.states else None
    stored = uow.snapshot.decisions.get(message_id)
    if contact is None or stored is None:
        return "unknown_contact"
    try:
        event = decode(SEND_REQUESTED, value)
    except Reject:
        return "unreadable"
    if refusal := uow.directory.refusal(event):
        return refusal
    if first_decided_at_us is None:
        first_decided_at_us = to_us(DecisionMade.model_validate_json(stored.records[0]).decided_at)
    contact = replace(contact, contact_id=contact_id)
    request = replace(
        request_of(event, contact, message_id, directory=uow.directory, snapshot=uow.snapshot),
        gathered=True,
        first_decided_at_us=first_decided_at_us,
    )
    received = ReceivedRequest(event, trace, value)
    prepared = prepare(uow.policy, uow.states[contact_id], request, uow.snapshot.now_us)
    campaign = None if event.campaign is None else (contact.contact_id, event.campaign)
    sequence = len(stored.records) + 1
    return Candidate(received, contact, message_id, prepared, campaign, sequence=sequence)


def reevaluate_promos(
    uow: UnitOfWork, contact_id: ContactId, *, brand: str | None = None, trace: str | None
) -> None:
    """Decide a recipient's promo grants that nobody has claimed again, the earliest given first.

    What still may go keeps its grant, for no longer than it would be given now. The others are revoked, and
    give their slots back: those that may go later wait, the rest is denied.
    """
    readable: list[GrantedCandidate] = []
    unreadable: list[Grant] = []
    for grant in uow.unclaimed_promos(contact_id, brand=brand):
        read = _granted_candidate(uow, grant, trace=trace)
        if read is None:
            unreadable.append(grant)
        else:
            readable.append(read)
    for grant in unreadable:
        uow.settle(revoke(grant), trace=trace)
    for one, decision in _decided_without_own_send(uow, readable):
        if decision.terms is None:
            _revoke(uow, one, decision, trace=trace)
        else:
            until_us = min(one.grant.valid_until_us, decision.terms.valid_until_us)
            uow.update_grant(replace(one.grant, valid_until_us=until_us))


def reevaluate_under_policy(uow: UnitOfWork, grants: Iterable[Grant]) -> int:
    """Decide a recipient's grants of another policy again, in arbitration order; gives how many are revoked.

    What stands, stands no longer than this policy says, and is marked as this policy's.
    """
    readable: list[GrantedCandidate] = []
    for grant in grants:
        read = _granted_candidate(uow, grant, trace=None)
        if read is None:
            _mark(uow, grant)  # nothing to decide it from
        else:
            readable.append(read)
    readable.sort(key=lambda one: one.candidate.prepared.request.arbitration_key)
    revoked = 0
    for one, decision in _decided_without_own_send(uow, readable):
        if decision.terms is None:
            _revoke(uow, one, decision, trace=None)
            revoked += 1
        else:
            until_us = min(one.grant.valid_until_us, decision.terms.valid_until_us)
            _mark(uow, replace(one.grant, valid_until_us=until_us))
    return revoked


def fall_back(uow: UnitOfWork, grant: Grant, *, trace: str | None) -> bool:
    """Decide a message whose window closed before it could leave again, as its fallback template.

    `grant` is as it was before it was released; what it took of budgets goes over. Gives False where there
    is no fallback to try.
    """
    read = _granted_candidate(uow, grant, trace=trace)
    fallback = read.candidate.prepared.request.fallback if read else None
    if read is None or fallback is None or grant.by_fallback:
        return False
    before = uow.states[grant.contact_id]
    second = replace(read.candidate.prepared.request, body=fallback, fallback=None)
    prepared = prepare(uow.policy, before, second, uow.snapshot.now_us)
    candidate = replace(read.candidate, prepared=prepared)
    decision = replace(decide_prepared(prepared, before), by_fallback=True)
    given = new_grant(
        candidate,
        decision,
        policy_version=uow.policy.version,
        epoch=grant.epoch + 1,
        budget_leases=grant.budget_leases,
    )
    record_decision(uow, Outcome(candidate, decision, before), grant=given)
    if given is not None:
        uow.renew(given, counted(prepared, before, decision))
        record_grant(uow, candidate, given)
    return True


def _granted_candidate(uow: UnitOfWork, grant: Grant, *, trace: str | None) -> GrantedCandidate | None:
    """Give a granted message as it is to be decided now; None where nothing is left to decide it from.

    Budgets are no obstacle: it has taken its share of them.
    """
    if grant.request is None:
        return None
    read = stored_candidate(uow, grant, grant.request, trace=trace)
    if isinstance(read, str):
        return None
    return GrantedCandidate(grant, replace(read, prepared=read.prepared.given(UNLIMITED)))


def _decided_without_own_send(
    uow: UnitOfWork, granted: Sequence[GrantedCandidate]
) -> Iterator[tuple[GrantedCandidate, Decision]]:
    """Decide one after the other as if none of them were there yet; what is permitted is there for the next.

    All are of one recipient.
    """
    if not granted:
        return
    state = uow.states[granted[0].grant.contact_id]
    sends = {one.grant.message_id: state.send_of(one.grant.message_id) for one in granted}
    for message_id in sends:
        state = without_send(state, message_id)
    undecided = set(sends)
    for one in granted:
        message_id = one.grant.message_id
        asked_of = with_campaign_sends(uow, one.candidate, state, but=undecided)
        undecided.discard(message_id)
        decision = decide_prepared(one.candidate.prepared, asked_of)
        if decision.terms is not None and (send := sends[message_id]) is not None:
            state = with_send(state, send)
        yield one, decision


def _revoke(uow: UnitOfWork, one: GrantedCandidate, decision: Decision, *, trace: str | None) -> None:
    """Take a grant back that this decision does not permit any more; it waits, or is denied."""
    uow.settle(revoke(one.grant, reason=None), trace=trace)
    record_decision(uow, Outcome(one.candidate, decision, uow.states[one.grant.contact_id]))


def _mark(uow: UnitOfWork, grant: Grant) -> None:
    uow.update_grant(replace(grant, policy_version=uow.policy.version))
