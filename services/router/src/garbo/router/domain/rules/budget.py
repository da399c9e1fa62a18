"""Budgets: totals over all people, of which a process holds a slice."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Literal, NamedTuple, Protocol

from garbo.router.domain.calendar import first_day, period_us
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.policy_settings import PolicySettings
from garbo.router.domain.rules.counting_windows import Calendar, Lifetime
from garbo.router.domain.rules.rule import Rule, TimedRule

EVERYBODY: Final = "*"
"""The scope of a budget of the whole portfolio."""


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


class BudgetAccount(NamedTuple):
    """What a request draws on: one budget, for one campaign or brand, in one period."""

    rule: str
    scope: str
    period: int
    """First day of the rule's window, in days since 1970; 0 for a lifetime."""
    limit: int


class BudgetRule(TimedRule, frozen=True):
    """At most `limit` granted sends to all people together: per campaign, brand or the whole portfolio.

    Served from slices that each process leases; never more than `limit`, perhaps a little less. A calendar
    window is of the policy's own zone.
    """

    type: ClassVar[str] = "budget"
    reason: ClassVar[str] = "budget_spent"
    limit: int
    per: Literal["campaign", "brand", "portfolio"]
    window: Calendar | Lifetime = Lifetime()

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return self.window.reads_clock

    @property
    def needs_campaign(self) -> bool:
        """Whether it has no say about a request without a campaign."""
        return self.per == "campaign"

    def allowed_from_us(self, context: EvaluationContext, from_us: int) -> int | None:
        """Give the least instant, `from_us` or later, with something left of the budget.

        What is left is of the period of now. A spent calendar budget is whole again in the next period, in
        the policy's own zone; a spent lifetime budget never is.
        """
        left = context.budget_left
        if isinstance(left, str) or left.get(self.reach.id, 0) >= context.slots:
            return from_us
        if isinstance(self.window, Lifetime):
            return None
        policy, unit = context.policy, self.window.unit
        zone, starts_on = policy.zones.default, policy.week_starts_on
        _, next_us = period_us(unit, zone, context.now_us, week_starts_on=starts_on)
        return max(from_us, next_us)

    def account(self, policy: PolicySettings, subject: BudgetSubject, now_us: int) -> BudgetAccount | None:
        """Name what a request draws on; None where it counts by campaign, and there is none."""
        brand, campaign = subject.brand, subject.campaign
        if self.per == "campaign" and campaign is None:
            return None
        scopes = {"campaign": f"{brand}/{campaign}", "brand": brand, "portfolio": EVERYBODY}
        return BudgetAccount(self.reach.id, scopes[self.per], self._period(policy, now_us), self.limit)

    def _period(self, policy: PolicySettings, now_us: int) -> int:
        if isinstance(self.window, Lifetime):
            return 0
        zone, starts_on = policy.zones.default, policy.week_starts_on
        return first_day(self.window.unit, zone, now_us, week_starts_on=starts_on)


def budgets_of(rules: Iterable[Rule]) -> Mapping[str, BudgetRule]:
    """Give the budgets among rules by their names, in file order."""
    return {rule.reach.id: rule for rule in rules if isinstance(rule, BudgetRule)}
