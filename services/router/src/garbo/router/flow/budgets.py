"""Budgets in a batch: what may come to be needed, what is left, what a grant takes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from garbo.router.domain.decision import Decision
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import PreparedRequest
from garbo.router.domain.rules.budget import BudgetAccount, BudgetSubject
from garbo.router.ports.budgets import BudgetLease, BudgetLeases, BudgetRequest
from garbo.router.ports.store import Transaction


async def reserve_budgets(
    budget_leases: BudgetLeases,
    transaction: Transaction,
    policy: Policy,
    asked: Iterable[PreparedRequest],
    *,
    now_us: int,
) -> "BudgetAllowance":
    """Lease what these requests could take of the budgets that touch them, and lock it for this batch.

    The lease is a transaction of its own, and stands whatever becomes of the batch.
    """
    counts: Counter[BudgetAccount] = Counter()
    for prepared in asked:
        counts.update(dict.fromkeys(prepared.budgets_needed, prepared.slots))
    wants = [BudgetRequest(*account, count=count) for account, count in counts.items()]
    lease_ids = await budget_leases.fill(wants) if wants else ()
    return BudgetAllowance(policy, now_us, await transaction.lock_leases(lease_ids) if lease_ids else ())


@dataclass(slots=True)
class BudgetAllowance:
    """What a batch may spend of each budget, and what it has spent."""

    policy: Policy
    now_us: int
    leases: Sequence[BudgetLease] = ()
    spent: dict[int, int] = field(default_factory=dict)
    """Lease -> how many were taken."""

    def left(self, request: BudgetSubject) -> dict[str, int]:
        """Tell what is left for a request, by rule."""
        return {
            rule: sum(self._left_in(one) for one in self._of(rule, request)) for rule in self.policy.budgets
        }

    def spend(self, decision: Decision, request: BudgetSubject, *, slots: int) -> tuple[int, ...]:
        """Take so many of each budget that was asked; names the lease of each."""
        rules = [result.id for result in decision.results if result.id in self.policy.budgets]
        return tuple(lease for rule in rules for lease in self._take(rule, request, count=slots))

    def _take(self, rule: str, request: BudgetSubject, *, count: int) -> list[int]:
        taken: list[int] = []
        for one in self._of(rule, request):
            portion = min(self._left_in(one), count - len(taken))
            if portion > 0:
                self.spent[one.lease_id] = self.spent.get(one.lease_id, 0) + portion
                taken += [one.lease_id] * portion
        return taken

    def _left_in(self, one: BudgetLease) -> int:
        return one.left - self.spent.get(one.lease_id, 0)

    def _of(self, rule: str, request: BudgetSubject) -> list[BudgetLease]:
        account = self.policy.budgets[rule].account(self.policy, request, self.now_us)
        if account is None:
            return []
        wanted = (account.rule, account.scope, account.period)
        return [one for one in self.leases if (one.rule, one.scope, one.period) == wanted]
