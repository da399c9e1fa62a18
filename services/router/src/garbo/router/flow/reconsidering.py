"""Deciding again what was allowed and has not left: a case was opened, or two people turned out to be one."""

from garbo.common.events.ids import ContactId
from garbo.common.events.topics import SEND_CARE, SEND_PROMO
from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.grant import Grant, revoke
from garbo.router.domain.policy import BudgetRule
from garbo.router.domain.state import without_send
from garbo.router.domain.values import replace
from garbo.router.flow.bench import Again, Bench
from garbo.router.flow.directory import Directory
from garbo.router.flow.ledger import Ledger, counts_for_life
from garbo.router.flow.records import new_grant
from garbo.router.flow.rendering import render_granted
from garbo.router.flow.stock import Shelf
from garbo.router.ports import Announcement


def reconsider(
    ledger: Ledger,
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
    bench = _bench(ledger, directory)
    candidates = ledger.promos_of(contact_id, brand=brand)
    state = ledger.states[contact_id]
    kept = {g.message_id: send for g in candidates if (send := state.send_of(g.message_id))}
    for message_id in kept:
        state = without_send(state, message_id)
    for grant in candidates:
        again = _again(bench, grant, trace=trace)
        if again is None:
            ledger.settle(revoke(grant), trace=trace)
            continue
        decision = decide(ledger.policy, state, again.request, ledger.moment.now_us)
        if decision.terms is not None:
            ledger.shorten(grant, until_us=decision.terms.valid_until_us)
            send = kept.get(grant.message_id)
            state = state if send is None else replace(state, sends=(*state.sends, send))
            continue
        ledger.settle(revoke(grant, reason=None), trace=trace)
        bench.tell(again, decision)


def fall_back(ledger: Ledger, directory: Directory, grant: Grant, *, trace: str | None) -> bool:
    """Decide a message whose window closed before it could leave again, as its fallback template.

    `grant` is as it was before it was released; what it took of budgets goes over. Gives False where there
    is no fallback to try.
    """
    bench = _bench(ledger, directory)
    again = _again(bench, grant, trace=trace)
    if again is None or again.request.fallback is None or grant.by_fallback:
        return False
    contact_id, epoch = grant.contact_id, grant.epoch + 1
    second = replace(again.request, body=again.request.fallback, fallback=None)
    decision, after = decide_and_count(ledger.policy, ledger.states[contact_id], second, ledger.moment.now_us)
    decision = replace(decision, by_fallback=True)
    bench.tell(again, decision, epoch=epoch)
    given = new_grant(
        again.ask,
        again.contact,
        decision,
        policy_version=ledger.policy.version,
        epoch=epoch,
        budget_slices=grant.budget_slices,
    )
    if given is not None:
        ledger.give(given)
        ledger.spent.update(grant.budget_slices)
        ledger.put(contact_id, after)
        if given.campaign is not None and counts_for_life(ledger.policy):
            counted = after.send_of(given.message_id)
            ledger.recounted[contact_id, given.message_id] = (given.campaign, counted)
        topic = SEND_PROMO if given.lane == "promo" else SEND_CARE
        record = render_granted(again.ask, again.contact, given)
        ledger.outbox.append(Announcement(topic, record, contact_id, trace))
    return True


def _bench(ledger: Ledger, directory: Directory) -> Bench:
    return Bench(ledger, directory, Shelf(ledger.policy, ledger.moment.now_us))


def _again(bench: Bench, grant: Grant, *, trace: str | None) -> Again | None:
    """Give a granted message as it is to be decided now; None where its request is not kept any more."""
    ledger = bench.ledger
    if grant.request is None or grant.contact_id not in ledger.states:
        return None
    contact = ledger.contacts.get(grant.contact_id)
    read = bench.read(grant.message_id, grant.request, contact, trace=trace)
    if isinstance(read, str):
        return None
    budgets = {rule.reach.id: 1 for rule in ledger.policy.rules if isinstance(rule, BudgetRule)}
    return replace(read, request=replace(read.request, budget_left=budgets))
