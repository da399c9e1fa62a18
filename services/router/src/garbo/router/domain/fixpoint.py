"""The least instant that every time rule permits."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from garbo.router.domain.matter import Matter
from garbo.router.domain.rules import TimeRule, free_us

MOST_ROUNDS: Final = 1_000
"""Rules that take turns for longer (one closes the days, one the nights) leave no instant at all."""


class Wait(NamedTuple):
    """How long the rules together make a request wait."""

    until_us: int | None
    """The least instant all permit; None when there is none."""
    moved: tuple[TimeRule, ...]
    """The rule that moved the instant furthest, round by round; the last one decides."""


def least_permitted(rules: Sequence[TimeRule], matter: Matter, from_us: int) -> Wait:
    """Find the least instant, `from_us` or later, that all rules permit.

    Each rule gives the least instant, t or later, that it permits itself; that is monotone in t, so the
    first t that nobody moves is the least. Of two rules that move it equally far, the first in file order.
    """
    at_us = from_us
    moved: tuple[TimeRule, ...] = ()
    for _ in range(MOST_ROUNDS):
        furthest_us, by = at_us, None
        for rule in rules:
            free_at_us = free_us(rule, matter, at_us)
            if free_at_us is None:
                return Wait(None, (*moved, rule))
            if free_at_us > furthest_us:
                furthest_us, by = free_at_us, rule
        if by is None:
            return Wait(at_us, moved)
        at_us, moved = furthest_us, (*moved, by)
    return Wait(None, moved)
