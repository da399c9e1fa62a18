"""Use case: decide a batch of requests, in one transaction, then tell."""

from collections.abc import Iterable, Mapping, Sequence

from garbo.common.errors import RetryLater
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import ContactId, MessageId
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, SEND_REQUESTED
from garbo.common.events.wire import decode
from garbo.common.priority import yielding
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import with_brands
from garbo.router.flow.decision import (
    Outcome,
    conclude,
    decide_candidate,
    granted,
    reserve_budgets_of,
    store_decision,
)
from garbo.router.flow.deferred import deferred_candidates
from garbo.router.flow.dependencies import Dependencies
from garbo.router.flow.records import refused_record, rendered
from garbo.router.flow.request import (
    Candidate,
    ReceivedRequest,
    ResolvedRequest,
    find_recipients,
    new_candidate,
    read_requests,
)
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import OutgoingRecord, Rendered
from garbo.router.ports.store import Deferred, Scope, Transaction


class DecideRequests:
    """Each request is decided once; asking again tells the stored decision again.

    Order: commit, then publish, then (by returning) the offsets. A crash between any two of them leads to
    a redelivery that finds the stored decision. Raises `RetryLater` when database or broker are not there.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def decide(self, received: Sequence[ReceivedRequest]) -> None:
        """Decide and tell a batch."""
        dependencies = self._dependencies
        requests = read_requests(received, directory=dependencies.directory, hash_key=dependencies.hash_key)
        known = await self._contacts_of(requests)
        async with dependencies.store.transaction() as transaction:
            requests = await find_recipients(transaction, requests, known)
            uow = await self._load(transaction, requests)
            new, repeats = _told_apart(uow, requests)
            await self._decide(transaction, uow, new)
            for repeat in repeats:
                _tell_again(uow, repeat)
            if uow.new_decisions:
                await transaction.save(uow.changes())
        await dependencies.publisher.publish(uow.records_to_publish)

    async def _contacts_of(self, requests: Iterable[ResolvedRequest]) -> Mapping[str, Contact]:
        """Find or make whom requests name by an address, but for whom was erased since they were asked."""
        named = [(r.address, r) for r in requests if r.address and r.is_possible and not r.refusal]
        named_at_us: dict[str, int] = {}
        for address, one in named:
            at_us = to_us(one.received.event.requested_at)
            named_at_us[address.hash] = max(at_us, named_at_us.get(address.hash, at_us))
        addresses = (address for address, _ in named)
        return await self._dependencies.store.get_or_create_contacts(addresses, named_at_us=named_at_us)

    async def _load(self, transaction: Transaction, requests: Sequence[ResolvedRequest]) -> UnitOfWork:
        dependencies, policy = self._dependencies, self._dependencies.policies.current
        scope = scope_of_requests(policy, requests)
        snapshot = await transaction.load(scope)
        states = snapshot.states.values()
        if len(states) < len(scope.contacts) or any(s.merged_into or s.erased for s in states):
            raise RetryLater("contact_moved")  # erased or merged since it was found
        return UnitOfWork(policy, dependencies.directory, dependencies.meter, snapshot)

    async def _decide(
        self, transaction: Transaction, uow: UnitOfWork, requests: Iterable[ResolvedRequest]
    ) -> None:
        """Decide what is new in arbitration order; what may not be asked at all is refused before.

        What waits of the same people and may be free by now is decided with it: nobody is overtaken because
        the new request came before the timer.
        """
        candidates: list[Candidate] = []
        async for resolved in yielding(requests):
            contact, snapshot = resolved.contact, uow.snapshot
            refusal = resolved.refusal or uow.directory.content_refusal(
                resolved.received.event, contact, snapshot.templates, snapshot.now_us
            )
            if refusal or contact is None or resolved.is_hidden(uow.states[contact.contact_id]):
                unknown = "erased" if resolved.address and contact is None else "unknown_contact"
                _refuse(uow, resolved, refusal or unknown)
            else:
                candidates.append(_candidate(uow, resolved, contact))
        candidates += await _waiting_ahead(uow, candidates)
        if self._dependencies.budget_leases:
            await reserve_budgets_of(uow, self._dependencies.budget_leases, transaction, candidates)
        candidates.sort(key=lambda candidate: candidate.prepared.request.arbitration_key)
        outcomes = [decide_candidate(uow, candidate) async for candidate in yielding(candidates)]
        if uow.policy.same_campaign == "keep_newest":
            outcomes = _keep_newest(uow, outcomes)
        async for outcome in yielding(outcomes):
            conclude(uow, outcome)


def scope_of_requests(policy: Policy, requests: Sequence[ResolvedRequest], *, lock: bool = True) -> Scope:
    """Say what must be read to decide requests; without `lock`, to say what they would be answered."""
    contacts = frozenset(r.contact.contact_id for r in requests if r.contact)
    of_campaigns = [(r.contact.contact_id, r.received.event) for r in requests if r.contact]
    sends = frozenset((whose, event.campaign) for whose, event in of_campaigns if event.campaign)
    events = (r.received.event for r in requests)
    campaigns = frozenset((event.brand, event.campaign) for event in events if event.campaign)
    newest_only = lock and policy.same_campaign == "keep_newest"
    return Scope(
        contacts=contacts,
        lock=lock,
        messages=frozenset(r.message_id for r in requests) if lock else frozenset(),
        deferred_of=frozenset(contact_id for contact_id, _ in sends) if newest_only else frozenset(),
        ready_of=contacts if lock else frozenset(),
        policy_version=policy.version,
        campaigns=campaigns,
        campaign_sends=sends if policy.counts_for_life else None,
    )


def _told_apart(
    uow: UnitOfWork, requests: Iterable[ResolvedRequest]
) -> tuple[Iterable[ResolvedRequest], Sequence[ResolvedRequest]]:
    """Tell new requests from repeats. The first of two with the same id is the one that is decided."""
    new: dict[MessageId, ResolvedRequest] = {}
    repeats: list[ResolvedRequest] = []
    for one in requests:
        if one.message_id in uow.snapshot.decisions or one.message_id in new:
            repeats.append(one)
        else:
            new[one.message_id] = one
    return new.values(), repeats


def _candidate(uow: UnitOfWork, resolved: ResolvedRequest, contact: Contact) -> Candidate:
    """Prepare a request; from now on its brand has dealt with the person."""
    known = with_brands(uow.states[contact.contact_id], (resolved.received.event.brand,))
    uow.put(contact.contact_id, known)
    return new_candidate(
        resolved,
        contact,
        policy=uow.policy,
        state=known,
        directory=uow.directory,
        snapshot=uow.snapshot,
    )


async def _waiting_ahead(uow: UnitOfWork, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Give what waits of the same people and may be free by now."""
    whose = {candidate.contact.contact_id for candidate in candidates}
    ready = [one for one in uow.deferred.values() if one.contact_id in whose and uow.is_ready(one)]
    return await deferred_candidates(uow, ready) if ready else []


def _refuse(uow: UnitOfWork, resolved: ResolvedRequest, reason: str) -> None:
    record = refused_record(resolved, reason, policy_version=uow.policy.version, now_us=uow.snapshot.now_us)
    store_decision(uow, resolved, rendered(record), contact_id=None)
    uow.meter.decided(message_class=None, verdict=record.verdict, reason=reason)


def _tell_again(uow: UnitOfWork, resolved: ResolvedRequest) -> None:
    """Tell the stored decision again, byte for byte, and its grant while nobody has claimed it."""
    stored = uow.snapshot.decisions.get(resolved.message_id) or uow.new_decisions[resolved.message_id]
    received = resolved.received
    uow.meter.repeated()
    if stored.body_hash != resolved.body_hash:
        record = refused_record(
            resolved, "id_reused", policy_version=uow.policy.version, now_us=uow.snapshot.now_us
        )
        uow.records_to_publish.append(
            OutgoingRecord(DECISION_MADE, record, stored.contact_id, received.trace)
        )
        return
    for value in stored.records:
        known = DecisionMade.model_validate_json(value)
        told = Rendered(known.event_id, known.happened_at, value)
        uow.records_to_publish.append(OutgoingRecord(DECISION_MADE, told, stored.contact_id, received.trace))
    grant = uow.snapshot.grants.get(resolved.message_id)
    if grant and grant.state == "reserved" and resolved.contact:
        uow.records_to_publish.append(granted(received, resolved.contact, grant))


def _keep_newest(uow: UnitOfWork, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Of several requests of one campaign to one person that would wait, let the newest wait.

    Gives the outcomes as they are then; what waits already and is older is dismissed.
    """
    newest: dict[tuple[ContactId, str, str], tuple[int, int]] = {}
    for outcome in outcomes:
        if campaign := outcome.deferred_campaign:
            age = outcome.candidate.age
            newest[campaign] = max(newest.get(campaign, age), age)
    decided = {outcome.candidate.message_id for outcome in outcomes}
    waiting = [one for one in uow.deferred.values() if one.message_id not in decided]
    rivals = [(d, _age(d), c) for d in waiting if (c := _campaign_of(d)) in newest]
    for _, age, campaign in rivals:
        newest[campaign] = max(newest[campaign], age)
    for deferred, age, campaign in rivals:
        if age < newest[campaign]:
            uow.dismiss(deferred.message_id, reason="superseded")
    return [
        o.denied("superseded") if (waits := o.deferred_campaign) and o.candidate.age < newest[waits] else o
        for o in outcomes
    ]


def _campaign_of(deferred: Deferred) -> tuple[ContactId, str, str]:
    return deferred.contact_id, deferred.brand, deferred.campaign or ""


def _age(deferred: Deferred) -> tuple[int, int]:
    event: SendRequested = decode(SEND_REQUESTED, deferred.request)
    return to_us(event.requested_at), event.request_id.int
