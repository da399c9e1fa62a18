"""Background job: decide deferred requests again once they are due, of each recipient the first one first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.common.events.ids import ContactId
from garbo.common.priority import yielding
from garbo.router.flow.decision import conclude, decide_candidate, reserve_budgets_of
from garbo.router.flow.jobs.lock_contacts import JobDependencies
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.flow.reevaluation import stored_candidate
from garbo.router.flow.request import Candidate
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.jobs import JobTransaction
from garbo.router.ports.store import Deferred, Scope

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
            candidates = await _candidates(uow)
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


async def _candidates(uow: UnitOfWork) -> list[Candidate]:
    """Give what is to be decided in arbitration order; deny whom nobody knows, and what nobody wants now."""
    found: list[Candidate] = []
    may_be_free = [one for one in uow.deferred.values() if _may_be_free(one, uow.snapshot.now_us)]
    async for one in yielding(may_be_free):
        read = _candidate(uow, one)
        if isinstance(read, str):
            uow.dismiss(one.message_id, reason=read)
        else:
            found.append(read)
    for older in _superseded(uow, found):
        uow.dismiss(older.message_id, reason="superseded")
        found.remove(older)
    return sorted(found, key=lambda candidate: candidate.prepared.request.arbitration_key)


def _may_be_free(one: Deferred, now_us: int) -> bool:
    return min(one.free_at_us, one.due_at_us) <= now_us or one.reason == "gathering"


def _candidate(uow: UnitOfWork, one: Deferred) -> Candidate | str:
    state = uow.states.get(one.contact_id)
    if state is not None and state.erased:
        return "erased"
    return stored_candidate(
        uow,
        one.message_id,
        one.request,
        contact_id=one.contact_id,
        first_decided_at_us=one.first_decided_at_us,
        trace=one.trace,
    )


def _superseded(uow: UnitOfWork, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give what a newer deferred request of the same campaign to the same person replaces, by the policy."""
    if uow.policy.same_campaign != "keep_newest":
        return []
    newest: dict[object, Candidate] = {}
    older: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: candidate.age):
        if candidate.campaign is None:
            continue
        scope = (candidate.campaign, candidate.prepared.request.brand)
        if scope in newest:
            older.append(newest[scope])
        newest[scope] = candidate
    return older
