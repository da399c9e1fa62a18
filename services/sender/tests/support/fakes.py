"""Fakes of the other ports."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.outcomes import Answer, Answered
from garbo.sender.domain.pacing import LEASE_S, SPENT_RATIO
from garbo.sender.ports import Lease, NoLease


@dataclass(slots=True)
class MemoryRates:
    """`RateLeases` in memory, on a monotonic clock."""

    now: Callable[[], float]
    lead_s: float = 0.05
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
        return Lease(count, starts - now, 1 / spent)

    async def slow_down(self, number: str, *, ceiling_per_s: float) -> None:
        """See `RateLeases`: only noted."""
        del ceiling_per_s
        self.slowed.append(number)


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
class ScriptedWhatsApp:
    """`WhatsApp` that answers by script, then accepts everything."""

    script: list[Answer] = field(default_factory=list)
    default: Callable[[str], Answer] | None = None
    posted: list[str] = field(default_factory=list)

    async def post(self, grant: SendGranted, *, attempt_id: str) -> Answer:
        """See `WhatsApp`."""
        del grant
        self.posted.append(attempt_id)
        if self.script:
            return self.script.pop(0)
        return accepting(attempt_id) if self.default is None else self.default(attempt_id)


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

    def lease_waited(self, *, lane: Lane, seconds: float) -> None:
        """See `Telemetry`."""

    def unknown_attempts(self, count: int) -> None:
        """See `Telemetry`."""
