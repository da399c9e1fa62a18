"""Deciding again what was allowed and has not left: a case was opened, or two people turned out to be one."""

from garbo.common.events.ids import ContactId
from garbo.common.events.topics import SEND_CARE, SEND_PROMO
from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.grant import Grant, revoke
from garbo.router.domain.request import UNLIMITED
from garbo.router.domain.state import without_send
from garbo.router.domain.values import replace
from garbo.router.flow.budgets import BudgetAllowance
from garbo.router.flow.directory import Directory
from garbo.router.flow.record_bytes import render_granted
from garbo.router.flow.records import new_grant
from garbo.router.flow.reevaluation import Reevaluator, StoredRequest
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.publisher import OutgoingRecord


def reconsider(
    uow: UnitOfWork,
    directory: Directory,
    contact_id: ContactId,
    *,
    brand: str | None = None,
    trace: str | None,
) -> None:
    """Decide a recipient's promo grants that nobody has claimed again, the earliest given first.

    What still may go keeps its grant, for no longer than it would be given now. The others are taken back
    with their slots: those that may go later wait, the rest is denied.
    """
    reevaluator = _bench(uow, directory)
    candidates = uow.promos_of(contact_id, brand=brand)
    state = uow.states[contact_id]
    kept = {g.message_id: send for g in candidates if (send := state.send_of(g.message_id))}
    for message_id in kept:
        state = without_send(state, message_id)
    for grant in candidates:
        again = _again(reevaluator, grant, trace=trace)
        if again is None:
            uow.settle(revoke(grant), trace=trace)
            continue
        decision = decide(uow.policy, state, again.request, uow.snapshot.now_us)
        if decision.terms is not None:
            uow.shorten(grant, until_us=decision.terms.valid_until_us)
            send = kept.get(grant.message_id)
            state = state if send is None else replace(state, sends=(*state.sends, send))
            continue
        uow.settle(revoke(grant, reason=None), trace=trace)
        reevaluator.tell(again, decision)


def fall_back(uow: UnitOfWork, directory: Directory, grant: Grant, *, trace: str | None) -> bool:
    """Decide a message whose window closed before it could leave again, as its fallback template.

    `grant` is as it was before it was released; what it took of budgets goes over. Gives False where there
    is no fallback to try.
    """
    reevaluator = _bench(uow, directory)
    again = _again(reevaluator, grant, trace=trace)
    if again is None or again.request.fallback is None or grant.by_fallback:
        return False
    contact_id, epoch = grant.contact_id, grant.epoch + 1
    second = replace(again.request, body=again.request.fallback, fallback=None)
    decision, after = decide_and_count(uow.policy, uow.states[contact_id], second, uow.snapshot.now_us)
    decision = replace(decision, by_fallback=True)
    reevaluator.tell(again, decision, epoch=epoch)
    given = new_grant(
        again.ask,
        again.contact,
        decision,
        policy_version=uow.policy.version,
        epoch=epoch,
        budget_leases=grant.budget_leases,
    )
    if given is not None:
        uow.give(given)
        uow.spent.update(grant.budget_leases)
        uow.put(contact_id, after)
        if given.campaign is not None and uow.policy.counts_for_life:
            counted = after.send_of(given.message_id)
            uow.recounted[contact_id, given.message_id] = (given.campaign, counted)
        topic = SEND_PROMO if given.lane == "promo" else SEND_CARE
        record = render_granted(again.ask, again.contact, given)
        uow.outbox.append(OutgoingRecord(topic, record, contact_id, trace))
    return True


def _bench(uow: UnitOfWork, directory: Directory) -> Reevaluator:
    return Reevaluator(uow, directory, BudgetAllowance(uow.policy, uow.snapshot.now_us))


def _again(reevaluator: Reevaluator, grant: Grant, *, trace: str | None) -> StoredRequest | None:
    """Give a granted message as it is to be decided now; None where its request is not kept any more."""
    uow = reevaluator.uow
    if grant.request is None or grant.contact_id not in uow.states:
        return None
    contact = uow.contacts.get(grant.contact_id)
    read = reevaluator.read(grant.message_id, grant.request, contact, trace=trace)
    if isinstance(read, str):
        return None
    return replace(read, request=replace(read.request, budget_left=UNLIMITED))  # it has paid already
