"""Use case: decide waiting requests again once they are due, in arbitration order for each recipient."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from garbo.common.events.ids import ContactId
from garbo.common.priority import yielding
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.values import replace
from garbo.router.flow.budgets import BudgetAllowance, reserve_budgets
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.reevaluation import Reevaluator, StoredRequest, campaign_sends_of_contacts
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.jobs import JobStore, JobTransaction
from garbo.router.ports.store import Deferred
from garbo.router.ports.telemetry import JobMeter, Meter

AT_ONCE: Final = 100
"""Recipients in one transaction."""


@dataclass(frozen=True, slots=True)
class RetryDeferred:
    """Decides with the policy, the person and the clock of the wake.

    All of a recipient's requests that may be free by now are decided together, not only the one whose timer
    fired. Each ends granted or denied, or waits again: none stays due. Any number of routers share the work.
    """

    store: JobStore
    stock: BudgetLeases
    meter: Meter
    work: JobMeter
    policies: PolicyInForce
    directory: Directory

    async def once(self) -> bool:
        """Wake a batch of recipients; tells whether there may be more. Raises `RetryLater`."""
        async with self.store.batch() as batch:
            contact_ids = await batch.claim_due(AT_ONCE)
            if not contact_ids:
                return False
            reevaluator, queue = await self._open(batch, contact_ids)
            verdicts = [reevaluator.decide(again).verdict async for again in yielding(queue)]
            await batch.write(reevaluator.changes())
        for verdict in verdicts:
            self.work.woke(verdict=verdict)
        return True

    async def _open(
        self, batch: JobTransaction, contact_ids: Collection[ContactId]
    ) -> tuple[Reevaluator, Sequence[StoredRequest]]:
        """Read all that is to be decided, refuse what is not, and lease what it may take of budgets."""
        policy = self.policies.current
        states = await batch.lock(contact_ids)
        contacts = await batch.contacts_of(contact_ids)
        waiting = await batch.waiting(contact_ids)
        campaigns = {(one.brand, one.campaign) for one in waiting if one.campaign}
        snapshot = await batch.load_snapshot([one.message_id for one in waiting], campaigns=campaigns)
        kept = {one.message_id: one for one in waiting}
        uow = UnitOfWork(policy, self.meter, snapshot, dict(states), {}, contacts=contacts, waiting=kept)
        lasting = await campaign_sends_of_contacts(
            batch, policy, [(one.contact_id, one.campaign) for one in waiting]
        )
        reevaluator = Reevaluator(uow, self.directory, BudgetAllowance(policy, snapshot.now_us), lasting)
        queue = await _read_all(reevaluator, [one for one in waiting if _may_be_free(one, snapshot.now_us)])
        if policy.budgets:
            now_us = snapshot.now_us
            spending = [
                prepare(policy, uow.states[again.contact.contact_id], again.request, now_us)
                for again in queue
            ]
            allowance = await reserve_budgets(self.stock, batch, policy, spending, now_us=now_us)
            reevaluator = replace(reevaluator, allowance=allowance)
        return reevaluator, queue


def _may_be_free(one: Deferred, now_us: int) -> bool:
    return min(one.free_at_us, one.due_at_us) <= now_us or one.reason == "gathering"


async def _read_all(reevaluator: Reevaluator, waiting: Iterable[Deferred]) -> list[StoredRequest]:
    """Give what is to be decided in arbitration order; deny whom nobody knows, and what nobody wants now."""
    uow, queue = reevaluator.uow, list[StoredRequest]()
    async for one in yielding(waiting):
        state = uow.states.get(one.contact_id)
        if state is not None and state.erased:
            uow.dismiss(one.message_id, reason="erased")
            continue
        contact = uow.contacts.get(one.contact_id) if state is not None else None
        read = reevaluator.read(
            one.message_id,
            one.request,
            contact,
            first_decided_at_us=one.first_decided_at_us,
            trace=one.trace,
        )
        if isinstance(read, str):
            uow.dismiss(one.message_id, reason=read)
        else:
            queue.append(read)
    for older in _superseded(reevaluator, queue):
        uow.dismiss(older.ask.message_id, reason="superseded")
        queue.remove(older)
    return sorted(queue, key=lambda again: again.request.arbitration_key)


def _superseded(reevaluator: Reevaluator, queue: Sequence[StoredRequest]) -> list[StoredRequest]:
    """Give what a newer waiting request of the same campaign to the same person replaces, by the policy."""
    if reevaluator.uow.policy.same_campaign != "keep_newest":
        return []
    newest: dict[object, StoredRequest] = {}
    older: list[StoredRequest] = []
    for again in sorted(queue, key=lambda a: (a.request.requested_at_us, a.request.request_id.int)):
        if again.ask.campaign is None:
            continue
        scope = (again.contact.contact_id, again.ask.campaign)
        if scope in newest:
            older.append(newest[scope])
        newest[scope] = again
    return older
