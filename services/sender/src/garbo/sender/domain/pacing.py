"""How fast, and who first. Instants are seconds of a monotonic clock, given by the caller.

spent = 98 % of the ceiling, evenly:   80/s -> one each 12.755 ms
in any closed window of 1 s there are at most floor(0.98 x 1.005 x rate) + 1 <= rate sends
(0.5 % is what CATCH_UP_S allows after a hiccup)
"""

import math
from dataclasses import dataclass, field
from typing import Final

from garbo.common.events.decisions import Lane

SPENT_RATIO: Final = 0.98
"""Of a number's ceiling; the rest covers clocks and networks that differ."""
LEASE_S: Final = 0.15
LEAD_S: Final = 0.05
"""A lease may be taken this long before it starts."""
LONGEST_READY_S: Final = 0.1
"""A lease starts when its first send can leave: after claim and commit, which are expected to take as long as
they lately did, and this at most. LONGEST_READY_S + LEASE_S = 250 ms of the rate are claimed ahead."""
CATCH_UP_S: Final = 0.005
"""Timers are this coarse: so much lateness is made good, no more, or a hiccup would become a burst."""
LATE_S: Final = 0.01
"""A send that would leave later than this after its lease's last place has lost its place."""
PROMO_FLOOR_RATIO: Final = 0.1
"""Of what a number sends, when both lanes have something to send."""


def longest_ahead_s(ceiling_per_s: float) -> float:
    """Say how far ahead no lease ends: two sends at the slowest a throttled number gets, and a second."""
    return 1 + 2 / (SPENT_RATIO * min(1.0, ceiling_per_s))


@dataclass(frozen=True, slots=True)
class Span:
    """When the sends of a lease may leave, on this process's clock."""

    begins: float
    ends: float


def span_of(*, asked_at: float, answered_at: float, starts_in_s: float, length_s: float) -> Span:
    """Place a lease on our clock, never earlier and never later than it is.

    The database looked at its own clock somewhere between our asking and its answer.
    """
    return Span(answered_at + starts_in_s, asked_at + starts_in_s + length_s)


@dataclass(slots=True)
class Readiness:
    """How long claim and commit lately took: the slowest of late, slowly forgotten."""

    seconds: float = 0.02

    def took(self, seconds: float) -> None:
        """Learn from one more."""
        self.seconds = min(LONGEST_READY_S, max(seconds * 1.25, self.seconds * 0.9, 0.005))


@dataclass(slots=True)
class Metronome:
    """Spaces the sends of one number inside one process, whatever leases they came from."""

    due_at: float = -math.inf
    """No send leaves before this instant."""

    def next(self, *, now: float, span: "Span", interval_s: float) -> float | None:
        """Reserve the next instant inside the lease and push the one after it away; None when it is over."""
        at = max(self.due_at, span.begins, now - CATCH_UP_S)
        if at > span.ends - interval_s + LATE_S:
            return None
        self.due_at = at + interval_s
        return at


@dataclass(slots=True)
class LaneShare:
    """Care goes first; promo collects a small credit while it waits, so that it never starves."""

    credit: float = field(default=0.0)

    def choose(self, *, care: int, promo: int) -> tuple[Lane, int] | None:
        """Say which lane has the next lease and how much of what it wants (counts of sends) at most."""
        if not care and not promo:
            return None
        if not care:
            self.credit = 0.0
            return "promo", promo
        if not promo:
            self.credit = 0.0
            return "care", care
        if self.credit >= 1:
            return "promo", min(promo, math.floor(self.credit))
        return "care", care

    def spent(self, lane: Lane, count: int, *, promo_waits: bool) -> None:
        """Book what a lease really held."""
        if lane == "promo":
            self.credit = max(0.0, self.credit - count)
        elif promo_waits:
            self.credit += count * PROMO_FLOOR_RATIO / (1 - PROMO_FLOOR_RATIO)
