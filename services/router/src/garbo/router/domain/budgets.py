"""Budgets: totals over all people, of which a process holds a slice."""

from garbo.router.domain.calendar import period_us
from garbo.router.domain.matter import Matter
from garbo.router.domain.policy import BudgetRule, Lifetime


def free_us(rule: BudgetRule, matter: Matter, from_us: int) -> int | None:
    """Give the least instant, `from_us` or later, with something left of the budget.

    What is left is of the period of now. A spent calendar budget is whole again in the next period, in the
    policy's own zone; a spent lifetime budget never is.
    """
    if matter.budget_left.get(rule.reach.id, 0) >= matter.slots:
        return from_us
    if isinstance(rule.window, Lifetime):
        return None
    week_starts_on = matter.policy.week_starts_on
    zone = matter.policy.zones.default
    _, next_us = period_us(rule.window.unit, zone, matter.now_us, week_starts_on=week_starts_on)
    return max(from_us, next_us)
