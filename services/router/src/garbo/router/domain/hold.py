"""Holds: what waits while somebody works on the person's case."""

from garbo.router.domain.policy import HoldRule
from garbo.router.domain.state import Case, RecipientState


def held_until_us(rule: HoldRule, state: RecipientState, *, brand: str) -> int:
    """Give the first instant no case of the brand holds any more: the latest of all; 0 without any.

    A case holds until the earlier of its closing and the cool-down, and its opening and the longest hold:
    so a forgotten case lets go as well.
    """
    cases = (case for case in state.cases.values() if case.brand in (brand, "*"))
    return max((_end_us(rule, case) for case in cases), default=0)


def _end_us(rule: HoldRule, case: Case) -> int:
    latest_us = case.opened_at_us + rule.max_us
    if case.closed_at_us is None:
        return latest_us
    return min(latest_us, case.closed_at_us + rule.cool_down_us)
