"""What sending works with."""

from collections.abc import Callable
from dataclasses import dataclass

from garbo.sender.flow.calls import Calls
from garbo.sender.flow.elsewhere import Elsewhere
from garbo.sender.flow.inflight import InFlight
from garbo.sender.flow.pacer import Pacer
from garbo.sender.ports import Attempts, Results, Telemetry


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Shared by both lanes; lives as long as the process."""

    attempts: Attempts
    results: Results
    calls: Calls
    pacer: Pacer
    inflight: InFlight
    telemetry: Telemetry
    elsewhere: Elsewhere
    now: Callable[[], float]
    """A monotonic clock, seconds."""
