"""Whose turn it is on a number: care before promo in this process, one rate row for all replicas."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from garbo.common.events.decisions import Lane
from garbo.sender.domain.pacing import LEAD_S, LaneShare, Metronome, Span, span_of
from garbo.sender.ports import Lease, RateLeases


@dataclass(slots=True)
class Slots:
    """The sends a lease holds, evenly spaced. Not used in time: lost."""

    count: int
    span: Span
    interval_s: float
    metronome: Metronome
    now: Callable[[], float]

    async def turn(self) -> bool:
        """Return when the next send may leave; False when the lease is over."""
        at = self.metronome.next(now=self.now(), span=self.span, interval_s=self.interval_s)
        if at is not None and (ahead_s := at - self.now()) > 0:
            await asyncio.sleep(ahead_s)
        return at is not None


@dataclass(slots=True)
class _Turn:
    """Somebody who waits; `wanted` becomes what may be asked for when the turn comes."""

    wanted: int
    come: "asyncio.Future[int]"


@dataclass(slots=True)
class _Line:
    """Those who wait for one number."""

    ceiling_per_s: float
    waiting: dict[Lane, deque[_Turn]] = field(default_factory=lambda: {"care": deque(), "promo": deque()})
    share: LaneShare = field(default_factory=LaneShare)
    metronome: Metronome = field(default_factory=Metronome)
    busy: bool = False
    rests_until: float = 0.0
    timer: asyncio.TimerHandle | None = None


class Pacer:
    """Hands out leases, one at a time a number."""

    def __init__(
        self, leases: RateLeases, *, ceilings_per_s: Mapping[str, float], now: Callable[[], float]
    ) -> None:
        self._leases, self._now = leases, now
        self._lines = {number: _Line(ceiling) for number, ceiling in ceilings_per_s.items()}

    def knows(self, number: str) -> bool:
        """Whether the number is one of ours."""
        return number in self._lines

    async def acquire(self, *, number: str, lane: Lane, wanted: int, ready_in_s: float = 0.0) -> Slots:
        """Wait for a turn and acquire a lease of at most `wanted` sends that starts when they are ready.

        Raises `RetryLater`.
        """
        line = self._lines[number]
        while True:
            count = await self._my_turn(line, lane, wanted)
            asked_at = self._now()
            try:
                answer = await self._leases.acquire(
                    number, ceiling_per_s=line.ceiling_per_s, wanted=count, ready_in_s=ready_in_s
                )
                if isinstance(answer, Lease):
                    return self._slots(line, lane, answer, asked_at)
                line.rests_until = max(line.rests_until, self._now() + answer.after_s)
            finally:
                line.busy = False
                self._call_next(line)

    async def slow_down(self, number: str, *, rest_s: float) -> None:
        """Halve the number's rate everywhere, and rest it here."""
        line = self._lines[number]
        line.rests_until = max(line.rests_until, self._now() + rest_s)
        await self._leases.slow_down(number, ceiling_per_s=line.ceiling_per_s)

    async def _my_turn(self, line: _Line, lane: Lane, wanted: int) -> int:
        turn = _Turn(wanted, asyncio.get_running_loop().create_future())
        line.waiting[lane].append(turn)
        self._call_next(line)
        try:
            return await turn.come
        except asyncio.CancelledError:
            if turn in line.waiting[lane]:
                line.waiting[lane].remove(turn)
            elif not turn.come.cancelled():
                line.busy = False
                self._call_next(line)
            raise

    def _call_next(self, line: _Line) -> None:
        """Give the turn to the lane that is due, once the line has rested."""
        if line.busy:
            return
        if (rest_s := line.rests_until - self._now()) > 0:
            if line.timer is None:
                line.timer = asyncio.get_running_loop().call_later(rest_s, self._rested, line)
            return
        chosen = line.share.choose(care=_wanted(line, "care"), promo=_wanted(line, "promo"))
        if chosen is None:
            return
        lane, at_most = chosen
        turn = line.waiting[lane].popleft()
        line.busy = True
        if turn.come.cancelled():
            line.busy = False
            self._call_next(line)
        else:
            turn.come.set_result(min(turn.wanted, at_most))

    def _rested(self, line: _Line) -> None:
        line.timer = None
        self._call_next(line)

    def _slots(self, line: _Line, lane: Lane, lease: Lease, asked_at: float) -> Slots:
        line.share.spent(lane, lease.count, promo_waits=bool(line.waiting["promo"]))
        now, length_s = self._now(), lease.count * lease.interval_s
        line.rests_until = max(line.rests_until, now + lease.starts_in_s + length_s - LEAD_S)
        span = span_of(asked_at=asked_at, answered_at=now, starts_in_s=lease.starts_in_s, length_s=length_s)
        return Slots(lease.count, span, lease.interval_s, line.metronome, self._now)


def _wanted(line: _Line, lane: Lane) -> int:
    return sum(turn.wanted for turn in line.waiting[lane])
