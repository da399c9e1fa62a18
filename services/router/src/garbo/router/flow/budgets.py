"""Budgets in a batch: what may come to be needed, what is left, what a grant takes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Protocol, assert_never
from zoneinfo import ZoneInfo

from garbo.router.domain.drawing import budgets_asked
from garbo.router.domain.evaluation import slots_of
from garbo.router.domain.instants import EPOCH, to_datetime
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Request
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.counting_windows import Calendar
from garbo.router.domain.state import RecipientState
from garbo.router.ports.budgets import BudgetLease, BudgetLeases, BudgetRequest
from garbo.router.ports.store import Transaction

EVERYBODY: Final = "*"


class BudgetSubject(Protocol):
    """What of a request a budget looks at."""

    @property
    def brand(self) -> str:
        """The brand that asks."""
        ...

    @property
    def campaign(self) -> str | None:
        """The campaign it belongs to."""
        ...


def budget_rules(policy: Policy) -> tuple[BudgetRule, ...]:
    """Give the policy's budgets."""
    return tuple(policy.budgets.values())


def scope_of(rule: BudgetRule, request: BudgetSubject) -> str | None:
    """Name the account a request draws on; None where the rule has no say: no campaign, none to count."""
    match rule.per:
        case "campaign":
            return None if request.campaign is None else f"{request.brand}/{request.campaign}"
        case "brand":
            return request.brand
        case "portfolio":
            return EVERYBODY
    assert_never(rule.per)


def period_of(policy: Policy, rule: BudgetRule, now_us: int) -> int:
    """Give the first day of the rule's window, by the policy's own clock, in days since 1970."""
    if not isinstance(rule.window, Calendar):
        return 0
    today = to_datetime(now_us).astimezone(ZoneInfo(policy.zones.default)).date()
    return (_first_day(rule.window, today, week_starts_on=policy.week_starts_on) - EPOCH.date()).days


def _first_day(window: Calendar, today: date, *, week_starts_on: int) -> date:
    match window.unit:
        case "day":
            return today
        case "week":
            return today - timedelta(days=(today.weekday() - week_starts_on) % 7)
        case "month":
            return today.replace(day=1)
    assert_never(window.unit)


async def reserve_budgets(
    stock: BudgetLeases,
    batch: Transaction,
    policy: Policy,
    asked: Iterable[tuple[RecipientState, Request]],
    *,
    now_us: int,
) -> "BudgetAllowance":
    """Lease what these requests could take of the budgets that touch them, and lock it for this batch.

    The lease is a transaction of its own, and stands whatever becomes of the batch.
    """
    counts: Counter[tuple[BudgetRule, str]] = Counter()
    for state, request in asked:
        for rule in budgets_asked(policy, state, request, now_us):
            if scope := scope_of(rule, request):
                counts[rule, scope] += slots_of(policy, request)
    wants = [
        BudgetRequest(rule.reach.id, scope, period_of(policy, rule, now_us), limit=rule.limit, count=count)
        for (rule, scope), count in counts.items()
    ]
    lease_ids = await stock.fill(wants) if wants else ()
    return BudgetAllowance(policy, now_us, await batch.lock_leases(lease_ids) if lease_ids else ())


@dataclass(slots=True)
class BudgetAllowance:
    """What a batch may spend of each budget, and what it has spent."""

    policy: Policy
    now_us: int
    leases: Sequence[BudgetLease] = ()
    spent: dict[int, int] = field(default_factory=dict)
    """Slice -> how many were taken."""

    def left(self, request: BudgetSubject) -> dict[str, int]:
        """Tell what is left for a request, by rule."""
        return {
            rule.reach.id: sum(self._left_in(one) for one in self._of(rule, request))
            for rule in budget_rules(self.policy)
        }

    def take(self, rule: BudgetRule, request: BudgetSubject, *, count: int = 1) -> tuple[int, ...]:
        """Take so many, and name the slice each was taken from; fewer where the rule has no say."""
        taken: list[int] = []
        for one in self._of(rule, request):
            portion = min(self._left_in(one), count - len(taken))
            if portion > 0:
                self.spent[one.lease_id] = self.spent.get(one.lease_id, 0) + portion
                taken += [one.lease_id] * portion
        return tuple(taken)

    def _left_in(self, one: BudgetLease) -> int:
        return one.left - self.spent.get(one.lease_id, 0)

    def _of(self, rule: BudgetRule, request: BudgetSubject) -> list[BudgetLease]:
        wanted = (rule.reach.id, scope_of(rule, request), period_of(self.policy, rule, self.now_us))
        return [one for one in self.leases if (one.rule, one.scope, one.period) == wanted]
