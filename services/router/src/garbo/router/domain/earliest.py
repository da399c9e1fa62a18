"""The least instant that every time rule permits."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.rules.rule import TimedRule

MOST_ROUNDS: Final = 200
"""Caps, holds and budgets move the instant once each, quiet hours a few times a day, and a week shows all of
them: rules that take turns for longer (one closes the days, one the nights) leave no instant at all."""


class Wait(NamedTuple):
    """How long the rules together make a request wait."""

    until_us: int | None
    """The least instant all permit; None when there is none."""
    moved: tuple[TimedRule, ...]
    """The rules that moved the instant furthest, round by round; the last one decides. Of several that moved
    it equally far, the first in file order stands last."""


def earliest_allowed(rules: Sequence[TimedRule], context: EvaluationContext, from_us: int) -> Wait:
    """Find the least instant, `from_us` or later, that all rules permit.

    Each rule gives the least instant, t or later, that it permits itself; that is monotone in t, so the
    first t that nobody moves is the least.
    """
    at_us = from_us
    moved: tuple[TimedRule, ...] = ()
    for _ in range(MOST_ROUNDS):
        furthest_us = at_us
        movers: tuple[TimedRule, ...] = ()
        for rule in rules:
            allowed_us = rule.allowed_from_us(context, at_us)
            if allowed_us is None:
                return Wait(None, (*moved, rule))
            if allowed_us > furthest_us:
                furthest_us, movers = allowed_us, (rule,)
            elif allowed_us == furthest_us > at_us:
                movers = (rule, *movers)
        if not movers:
            return Wait(at_us, moved)
        at_us, moved = furthest_us, (*moved, *movers)
    return Wait(None, moved)
