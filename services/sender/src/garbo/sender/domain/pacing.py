"""How fast, and who first. Instants are seconds of a monotonic clock, given by the caller.

spent = 98 % of the ceiling, evenly:   80/s -> one each 12.755 ms
in any closed window of 1 s there are at most floor(0.98 x 1.003 x rate) + 1 <= rate sends
(0.3 % is what CATCH_UP_S allows after a hiccup; 1.7 % are left for networks that are not even. Who sends
alone comes near nobody else's places, and may use 0.9 %)
"""

import math
from dataclasses import dataclass, field
from typing import Final

from garbo.common.events.decisions import Lane

SPENT_RATIO: Final = 0.98
"""Of a number's ceiling; the rest covers clocks and networks that differ."""
LEASE_S: Final = 0.15
LEAD_S: Final = 0.1
"""A lease may be taken this long before it starts: LEAD_S + LEASE_S = AHEAD_S of the rate at most."""
AHEAD_S: Final = 0.25
"""So much of the rate is begun before it leaves."""
LONGEST_READY_S: Final = 0.02
"""A lease for which nothing is begun yet starts so late."""
CATCH_UP_S: Final = 0.003
"""So much lateness is made good, no more, or a hiccup would become a burst."""
LENIENT_CATCH_UP_S: Final = 0.009
"""Where nobody else's places follow, or one place is much, it may be used so late. Who begins late and then
wakes late is 15 ms late at most, less than the 20 ms that 2 % of a second are; the rest is the network's."""
SLOW_INTERVAL_S: Final = 0.05
"""A number that sends less than 20 a second: one place is much."""
ALONE_S: Final = 1.0
"""Who has had all leases for so long sends from the number alone."""
DRIFT: Final = 0.00005
"""Two clocks part by this much a second, at most."""
LATE_S: Final = 0.002
"""A send that would leave later than this after its lease's last place has none."""
EARLY_S: Final = 0.001
"""A timer may be so much early; the send after it is not."""
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
    late_s: float = CATCH_UP_S
    """How late a place in it may be used."""


@dataclass(slots=True)
class OtherClock:
    """Where the database's clock stands beside ours: somewhere between what we know for sure.

    It looked at its clock between our asking and its answer, each time anew: what all of these allow is much
    narrower than what one does. `DRIFT` is how far two clocks part; one that was set is learnt anew.
    """

    least: float = -math.inf
    """Ours less theirs, at least."""
    most: float = math.inf
    learnt_at: float = 0.0

    def learn(self, theirs: float, *, asked_at: float, answered_at: float) -> None:
        """Learn from one answer: its instant, seconds since 1970."""
        drift = DRIFT * (answered_at - self.learnt_at)
        least, most = max(self.least - drift, asked_at - theirs), min(self.most + drift, answered_at - theirs)
        if least > most:
            least, most = asked_at - theirs, answered_at - theirs
        self.least, self.most, self.learnt_at = least, most, answered_at

    def span(self, begins: float, length_s: float, late_s: float = CATCH_UP_S) -> Span:
        """Place a span of theirs on our clock: never earlier, never later than it is."""
        return Span(begins + self.most, begins + length_s + self.least, late_s)


@dataclass(slots=True)
class Metronome:
    """Spaces the sends of one number inside one process, whatever leases they came from."""

    due_at: float = -math.inf
    """No send leaves before this instant."""

    def next(self, *, now: float, span: "Span", interval_s: float) -> float | None:
        """Say when the next send of the lease leaves; None when it is over. Who is late loses that time."""
        at = max(self.due_at, span.begins, now - span.late_s)
        return None if at > span.ends - interval_s + max(LATE_S, span.late_s - CATCH_UP_S) else at

    def take(self, at: float, interval_s: float) -> None:
        """Let one leave there: the one after it leaves so much later."""
        self.due_at = at + interval_s


def catch_up_s(interval_s: float, *, alone_s: float = 0.0) -> float:
    """Say how late a place may be used: so much time lies between two, and so long nobody else has sent."""
    return LENIENT_CATCH_UP_S if interval_s > SLOW_INTERVAL_S or alone_s >= ALONE_S else CATCH_UP_S


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
