"""The least instant that every time rule permits."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from garbo.router.domain.matter import Matter
from garbo.router.domain.rules import TimeRule, free_us

MOST_ROUNDS: Final = 200
"""Caps, holds and budgets move the instant once each, quiet hours a few times a day, and a week shows all of
them: rules that take turns for longer (one closes the days, one the nights) leave no instant at all."""


class Wait(NamedTuple):
    """How long the rules together make a request wait."""

    until_us: int | None
    """The least instant all permit; None when there is none."""
    moved: tuple[TimeRule, ...]
    """The rules that moved the instant furthest, round by round; the last one decides. Of several that moved
    it equally far, the first in file order stands last."""


def least_permitted(rules: Sequence[TimeRule], matter: Matter, from_us: int) -> Wait:
    """Find the least instant, `from_us` or later, that all rules permit.

    Each rule gives the least instant, t or later, that it permits itself; that is monotone in t, so the
    first t that nobody moves is the least.
    """
    at_us = from_us
    moved: tuple[TimeRule, ...] = ()
    for _ in range(MOST_ROUNDS):
        furthest_us = at_us
        movers: tuple[TimeRule, ...] = ()
        for rule in rules:
            free_at_us = free_us(rule, matter, at_us)
            if free_at_us is None:
                return Wait(None, (*moved, rule))
            if free_at_us > furthest_us:
                furthest_us, movers = free_at_us, (rule,)
            elif free_at_us == furthest_us > at_us:
                movers = (rule, *movers)
        if not movers:
            return Wait(at_us, moved)
        at_us, moved = furthest_us, (*moved, *movers)
    return Wait(None, moved)
