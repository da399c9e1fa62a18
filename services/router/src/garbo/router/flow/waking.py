"""Use case: decide waiting requests again once they are due, in arbitration order for each recipient."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.ids import ContactId
from garbo.common.turns import in_turns
from garbo.router.domain.values import replace
from garbo.router.flow.bench import Again, Bench, lasting_sends
from garbo.router.flow.directory import Directory
from garbo.router.flow.ledger import Ledger
from garbo.router.flow.policies import Policies
from garbo.router.flow.stock import Shelf, budget_rules, stocked
from garbo.router.ports import Deferred, Meter
from garbo.router.work_ports import Stock, WorkBatch, WorkMeter, WorkStore

AT_ONCE: Final = 100
"""Recipients in one transaction."""


@dataclass(frozen=True, slots=True)
class WakeWaiting:
    """Decides with the policy, the person and the clock of the wake.

    All of a recipient's requests that may be free by now are decided together, not only the one whose timer
    fired. Each ends granted or denied, or waits again: none stays due. Any number of routers share the work.
    """

    store: WorkStore
    stock: Stock
    meter: Meter
    work: WorkMeter
    policies: Policies
    directory: Directory

    async def once(self) -> bool:
        """Wake a batch of recipients; tells whether there may be more. Raises `RetryLater`."""
        async with self.store.batch() as batch:
            contact_ids = await batch.claim_due(AT_ONCE)
            if not contact_ids:
                return False
            bench, queue = await self._open(batch, contact_ids)
            verdicts = [bench.decide(again).verdict async for again in in_turns(queue)]
            await batch.write(bench.changes())
        for verdict in verdicts:
            self.work.woke(verdict=verdict)
        return True

    async def _open(
        self, batch: WorkBatch, contact_ids: Collection[ContactId]
    ) -> tuple[Bench, Sequence[Again]]:
        """Read all that is to be decided, refuse what is not, and lease what it may take of budgets."""
        policy = self.policies.current
        states = await batch.lock(contact_ids)
        contacts = await batch.contacts_of(contact_ids)
        waiting = await batch.waiting(contact_ids)
        campaigns = {(one.brand, one.campaign) for one in waiting if one.campaign}
        moment = await batch.look_up([one.message_id for one in waiting], campaigns=campaigns)
        kept = {one.message_id: one for one in waiting}
        ledger = Ledger(policy, self.meter, moment, dict(states), {}, contacts=contacts, waiting=kept)
        lasting = await lasting_sends(batch, policy, [(one.contact_id, one.campaign) for one in waiting])
        bench = Bench(ledger, self.directory, Shelf(policy, moment.now_us), lasting)
        queue = await _read_all(bench, [one for one in waiting if _may_be_free(one, moment.now_us)])
        if budget_rules(policy):
            spending = [(ledger.states[again.contact.contact_id], again.request) for again in queue]
            shelf = await stocked(self.stock, batch, policy, spending, now_us=moment.now_us)
            bench = replace(bench, shelf=shelf)
        return bench, queue


def _may_be_free(one: Deferred, now_us: int) -> bool:
    return min(one.free_at_us, one.due_at_us) <= now_us or one.reason == "gathering"


async def _read_all(bench: Bench, waiting: Iterable[Deferred]) -> list[Again]:
    """Give what is to be decided in arbitration order; deny whom nobody knows, and what nobody wants now."""
    ledger, queue = bench.ledger, list[Again]()
    async for one in in_turns(waiting):
        state = ledger.states.get(one.contact_id)
        if state is not None and state.erased:
            ledger.dismiss(one.message_id, reason="erased")
            continue
        contact = ledger.contacts.get(one.contact_id) if state is not None else None
        read = bench.read(
            one.message_id,
            one.request,
            contact,
            first_decided_at_us=one.first_decided_at_us,
            trace=one.trace,
        )
        if isinstance(read, str):
            ledger.dismiss(one.message_id, reason=read)
        else:
            queue.append(read)
    for older in _superseded(bench, queue):
        ledger.dismiss(older.ask.message_id, reason="superseded")
        queue.remove(older)
    return sorted(queue, key=lambda again: again.request.arbitration_key)


def _superseded(bench: Bench, queue: Sequence[Again]) -> list[Again]:
    """Give what a newer waiting request of the same campaign to the same person replaces, by the policy."""
    if bench.ledger.policy.same_campaign != "keep_newest":
        return []
    newest: dict[object, Again] = {}
    older: list[Again] = []
    for again in sorted(queue, key=lambda a: (a.request.requested_at_us, a.request.request_id.int)):
        if again.ask.campaign is None:
            continue
        scope = (again.contact.contact_id, again.ask.campaign)
        if scope in newest:
            older.append(newest[scope])
        newest[scope] = again
    return older
