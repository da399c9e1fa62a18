"""Holds: what waits while somebody works on the person's case."""

from collections.abc import Iterable
from typing import ClassVar

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.rules.rule import Rule, TimedRule
from garbo.router.domain.state import Case


class HoldRule(TimedRule, frozen=True):
    """Refuses while a case is open: until the earlier of closing + `cool_down_us` and opening + `max_us`.

    So a forgotten case lets go as well.
    """

    type: ClassVar[str] = "hold"
    reason: ClassVar[str] = "case_open"
    cool_down_us: int
    max_us: int

    def allowed_from_us(self, context: EvaluationContext, from_us: int) -> int | None:
        """Give the first instant no case of the brand holds any more."""
        brand = context.subject.brand
        ends = [self._end_us(c) for c in context.state.cases.values() if c.brand in (brand, "*")]
        return max((from_us, *ends))

    def _end_us(self, case: Case) -> int:
        latest_us = case.opened_at_us + self.max_us
        if case.closed_at_us is None:
            return latest_us
        return min(latest_us, case.closed_at_us + self.cool_down_us)


def longest_hold_us(rules: Iterable[Rule]) -> int:
    """Say how long a case can hold anything back; 0 without such a rule."""
    return max((rule.max_us for rule in rules if isinstance(rule, HoldRule)), default=0)
