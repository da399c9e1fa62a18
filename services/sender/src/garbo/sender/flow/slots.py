"""The instants at which one number may send: leases of its rate, spent evenly, lost when not used in time."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from garbo.sender.domain.pacing import (
    AHEAD_S,
    EARLY_S,
    LEAD_S,
    LENIENT_CATCH_UP_S,
    LONGEST_READY_S,
    Metronome,
    OtherClock,
    Span,
    catch_up_s,
)
from garbo.sender.ports.rates import Lease, RateLeases

MOST_LEASES: Final = 2
"""The one that is spent, and the next."""


class Slots:
    """One number's, in this process. Instants are seconds of the clock given."""

    def __init__(
        self,
        leases: RateLeases,
        number: str,
        *,
        ceiling_per_s: Callable[[], float],
        now: Callable[[], float],
        siblings: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """Make it; `siblings` are the account's other numbers with their ceilings, as they are now."""
        self._leases, self._number, self._now = leases, number, now
        self._ceiling_per_s, self._siblings = ceiling_per_s, siblings
        self.ask_at = 0.0
        """No lease is to be had before."""
        self._metronome = Metronome()
        self._clock = OtherClock()
        self._held: deque[tuple[Span, float]] = deque()
        self._had: deque[tuple[float, int]] = deque()

    @property
    def ceiling_per_s(self) -> float:
        """What the platform allows the number now."""
        return self._ceiling_per_s()

    def left(self) -> int:
        """Count the sends that may still leave in the leases held."""
        now, count = self._now(), 0
        while self._held and self._held[0][0].ends + LENIENT_CATCH_UP_S < now:
            self._held.popleft()
        for span, interval_s in self._held:
            begins = max(span.begins, now, self._metronome.due_at)
            count += max(0, round((span.ends - begins) / interval_s))
        return count

    def ahead(self) -> int:
        """Say how many sends may be begun before they leave: what is held, or `AHEAD_S` of what was of late.

        At least one, unless the number rests.
        """
        now = self._now()
        if self.ask_at > now + AHEAD_S and not self.left():
            return 0
        while self._had and self._had[0][0] < now - 1:
            self._had.popleft()
        of_late = min(self.ceiling_per_s, sum(count for _, count in self._had))
        return max(1, self.left(), math.ceil(of_late * AHEAD_S))

    def may_ask(self) -> bool:
        """Whether a lease might be had now."""
        return self._now() >= self.ask_at and (self.left() == 0 or len(self._held) < MOST_LEASES)

    async def acquire(self, wanted: int, *, ready: bool) -> bool:
        """Take a lease of so many sends at most, from now on where some are `ready`. Raises `RetryLater`."""
        asked_at = self._now()
        answer = await self._leases.acquire(
            self._number,
            ceiling_per_s=self.ceiling_per_s,
            wanted=wanted,
            ready_in_s=0.0 if ready else LONGEST_READY_S,
        )
        now = self._now()
        if not isinstance(answer, Lease):
            self.ask_at = now + answer.after_s
            return False
        self._clock.learn(answer.given_at, asked_at=asked_at, answered_at=now)
        late_s = catch_up_s(answer.interval_s, alone_s=answer.alone_s)
        span = self._clock.span(answer.begins, answer.count * answer.interval_s, late_s)
        self._held.append((span, answer.interval_s))
        self._had.append((now, answer.count))
        self.ask_at = span.ends - LEAD_S
        return True

    def next(self) -> float | None:
        """Say when the next send may leave; None: a lease is needed first."""
        while self._held:
            span, interval_s = self._held[0]
            at = self._metronome.next(now=self._now(), span=span, interval_s=interval_s)
            if at is not None:
                return at
            self._held.popleft()
        return None

    def take(self) -> bool:
        """Let a send leave now, if its instant has come: who woke too late for a lease needs the next."""
        at = self.next()
        if at is None or at > self._now() + EARLY_S:
            return False
        self._metronome.take(at, self._held[0][1])
        return True

    def rest(self, seconds: float) -> None:
        """Let the number rest here."""
        self._held.clear()
        self.ask_at = max(self.ask_at, self._now() + seconds)

    async def slow_down(self, rest_s: float, *, of_account: bool = False) -> None:
        """Halve the number's rate everywhere, or its account's, and let it rest. Raises `RetryLater`."""
        self.rest(rest_s)
        slow = {self._number: self.ceiling_per_s} | (dict(self._siblings()) if of_account else {})
        for number, ceiling_per_s in sorted(slow.items()):
            await self._leases.slow_down(number, ceiling_per_s=ceiling_per_s, rest_s=rest_s)
