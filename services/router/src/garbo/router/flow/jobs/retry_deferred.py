"""Background job: decide deferred requests again once they are due, of each recipient the first one first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.common.events.ids import ContactId
from garbo.common.priority import yielding
from garbo.router.flow.decision import conclude, decide_candidate, reserve_budgets_of
from garbo.router.flow.deferred import deferred_candidates
from garbo.router.flow.jobs.lock_contacts import JobDependencies
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.jobs import JobTransaction
from garbo.router.ports.store import Scope

AT_ONCE: Final = 100
"""Recipients in one transaction."""


@dataclass(frozen=True, slots=True)
class RetryDeferred:
    """Decides with the policy, the person and the clock of the retry.

    All of a recipient's requests that may be free by now are decided together, not only the one whose timer
    fired. Each ends granted or denied, or waits again: none stays due. Any number of routers share the work.
    """

    dependencies: JobDependencies
    leases: BudgetLeases
    name: ClassVar[str] = "retry_deferred"
    schedule: ClassVar[Schedule] = Schedule(interval_s=0.25)

    async def once(self) -> bool:
        """Decide those of some recipients; tells whether there may be more. Raises `RetryLater`."""
        async with self.dependencies.store.transaction() as transaction:
            contact_ids = await transaction.claim_due(AT_ONCE)
            if not contact_ids:
                return False
            uow = await self._load(transaction, contact_ids)
            waiting = uow.deferred.values()
            ready = [one for one in waiting if uow.is_ready(one) or one.reason == "gathering"]
            candidates = await deferred_candidates(uow, ready)
            await reserve_budgets_of(uow, self.leases, transaction, candidates)
            verdicts: list[str] = []
            async for candidate in yielding(candidates):
                outcome = decide_candidate(uow, candidate)
                conclude(uow, outcome)
                verdicts.append(outcome.decision.verdict)
            await transaction.save(uow.changes())
        for verdict in verdicts:
            self.dependencies.job_meter.retried(verdict=verdict)
        return True

    async def _load(self, transaction: JobTransaction, contact_ids: Iterable[ContactId]) -> UnitOfWork:
        policy, whose = self.dependencies.policies.current, frozenset(contact_ids)
        scope = Scope(
            contacts=whose,
            reachable=whose,
            deferred_of=whose,
            campaign_sends=frozenset() if policy.counts_for_life else None,
        )
        snapshot = await transaction.load(scope)
        return UnitOfWork(policy, self.dependencies.directory, self.dependencies.meter, snapshot)
