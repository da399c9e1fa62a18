"""Fakes of the other ports."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from garbo.common.events.decisions import Lane
from garbo.common.events.pauses import PauseChanged
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.outcomes import Answer, Answered
from garbo.sender.domain.pacing import LEASE_S, SPENT_RATIO
from garbo.sender.domain.pauses import Pause
from garbo.sender.domain.portfolios import PeopleLimit
from garbo.sender.ports.rates import Lease, NoLease


@dataclass(slots=True)
class MemoryRates:
    """`RateLeases` in memory, on a monotonic clock."""

    now: Callable[[], float]
    lead_s: float = 0.05
    alone_s: float = 0.0
    tat: dict[str, float] = field(default_factory=dict)
    slowed: list[str] = field(default_factory=list)

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """See `RateLeases`."""
        now, tat = self.now(), self.tat.get(number, 0.0)
        if tat > now + max(self.lead_s, ready_in_s):
            return NoLease(tat - now - self.lead_s)
        spent = SPENT_RATIO * ceiling_per_s
        count = min(wanted, max(1, math.floor(spent * LEASE_S)))
        starts = max(now + ready_in_s, tat)
        self.tat[number] = starts + count / spent
        return Lease(count, starts, 1 / spent, now, self.alone_s)

    async def slow_down(self, number: str, *, ceiling_per_s: float, rest_s: float) -> None:
        """See `RateLeases`: only noted."""
        del ceiling_per_s, rest_s
        self.slowed.append(number)

    async def count_inbound(self, received: Mapping[str, int]) -> None:
        """See `RateLeases`."""
        for number, count in received.items():
            self.tat[number] = max(self.tat.get(number, 0.0), self.now()) + count / SPENT_RATIO


@dataclass(slots=True)
class ListedResults:
    """`Results` in a list."""

    published: list[SendResult] = field(default_factory=list)
    shown: list[AddressShown] = field(default_factory=list)

    async def publish(
        self, results: Sequence[tuple[SendResult, str | None]], *, shown: Sequence[AddressShown] = ()
    ) -> None:
        """See `Results`."""
        self.published += [result for result, _ in results]
        self.shown += shown


@dataclass(slots=True)
class ListedNews:
    """`PauseNews` in a list."""

    told: list[PauseChanged] = field(default_factory=list)

    async def publish(self, changes: Sequence[PauseChanged]) -> None:
        """See `PauseNews`."""
        self.told += changes


@dataclass(slots=True)
class QuietFigures:
    """`PauseFigures` that keep the last."""

    in_force: Sequence[Pause] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def paused(self, pauses: Sequence[Pause]) -> None:
        """See `PauseFigures`."""
        self.in_force = pauses

    def parked(self, counts: Mapping[str, int]) -> None:
        """See `PauseFigures`."""
        self.counts = counts


@dataclass(slots=True)
class PeopleShown:
    """`PeopleFigures` that keep the last."""

    counts: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int | None] = field(default_factory=dict)

    def people(self, portfolio: str, *, count: int, limit: PeopleLimit) -> None:
        """See `PeopleFigures`."""
        self.counts[portfolio], self.limits[portfolio] = count, limit.most


def accepting(attempt_id: str) -> Answer:
    """Answer as the platform does when all is well."""
    return Answered(200, {"messages": [{"id": f"wamid.{attempt_id}"}]})


@dataclass(slots=True)
class QuietSpan:
    """`SendSpan` that keeps nothing."""

    traceparent: str | None = None

    def end(self, *, outcome: str, attempt_id: str) -> None:
        """Do nothing."""


@dataclass(slots=True)
class QuietTelemetry:
    """`Telemetry` that keeps the outcomes."""

    outcomes: list[str] = field(default_factory=list)

    def start_send(self, *, lane: Lane, trace: str | None) -> QuietSpan:
        """See `Telemetry`."""
        del lane
        return QuietSpan(trace)

    @property
    def is_tracing(self) -> bool:
        """See `Telemetry`."""
        return False

    def status_received(self, *, trace: str | None, send: str | None, status: str) -> None:
        """See `Telemetry`."""

    def attempt_settled(self, *, trace: str | None, send: str | None, outcome: str) -> None:
        """See `Telemetry`."""

    def attempt_finished(self, *, lane: Lane, outcome: str, code: int | None, seconds: float) -> None:
        """See `Telemetry`."""
        del lane, code, seconds
        self.outcomes.append(outcome)

    def lease_waited(self, *, seconds: float) -> None:
        """See `Telemetry`."""

    def unknown_attempts(self, count: int) -> None:
        """See `Telemetry`."""
