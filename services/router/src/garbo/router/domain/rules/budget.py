"""Budgets: totals over all people, of which a process holds a slice."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from garbo.router.domain.calendar import period_us
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.rules.counting_windows import Calendar, Lifetime
from garbo.router.domain.rules.rule import Rule, TimedRule


class BudgetRule(TimedRule, frozen=True):
    """At most `limit` granted sends to all people together: per campaign, brand or the whole portfolio.

    Served from slices that each process leases; never more than `limit`, perhaps a little less. A calendar
    window is of the policy's own zone.
    """

    types: ClassVar[tuple[str, ...]] = ("budget",)
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
        if context.budget_left.get(self.reach.id, 0) >= context.slots:
            return from_us
        if isinstance(self.window, Lifetime):
            return None
        policy = context.policy
        _, next_us = period_us(
            self.window.unit, policy.zones.default, context.now_us, week_starts_on=policy.week_starts_on
        )
        return max(from_us, next_us)


def budgets_of(rules: Iterable[Rule]) -> Mapping[str, BudgetRule]:
    """Give the budgets among rules by their names, in file order."""
    return {rule.reach.id: rule for rule in rules if isinstance(rule, BudgetRule)}
