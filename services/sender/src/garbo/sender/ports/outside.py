"""The platform, where outcomes are told, and what is observed."""

from collections.abc import Sequence
from typing import Protocol

from garbo.common.events.decisions import Lane
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.outcomes import Answer
from garbo.sender.domain.queued_send import QueuedSend


class WhatsApp(Protocol):
    """The platform."""

    async def post(self, send: QueuedSend, *, attempt_id: str) -> Answer:
        """Send once, within the send budget. Never raises for what the platform or the network does."""
        ...


class Results(Protocol):
    """Where outcomes are published."""

    async def publish(
        self, results: Sequence[tuple[SendResult, str | None]], *, shown: Sequence[AddressShown] = ()
    ) -> None:
        """Publish results, each with its trace; return when all are safe, else raise `RetryLater`.

        `shown` is what answers said of people; where it is lost, a status says it again.
        """
        ...


class SendSpan(Protocol):
    """The trace of one send."""

    @property
    def traceparent(self) -> str | None:
        """Its address, for whoever continues or links."""
        ...

    def end(self, *, outcome: str, attempt_id: str) -> None:
        """Close it."""
        ...


class Telemetry(Protocol):
    """Traces and figures."""

    def start_send(self, *, lane: Lane, trace: str | None) -> SendSpan:
        """Open the trace of a send that continues `trace`."""
        ...

    @property
    def is_tracing(self) -> bool:
        """Whether anybody collects traces."""
        ...

    def status_received(self, *, trace: str | None, send: str | None, status: str) -> None:
        """Trace a status in its own trace, linked to the send's."""
        ...

    def attempt_settled(self, *, trace: str | None, send: str | None, outcome: str) -> None:
        """Note that a status settled a send, linked to that send's trace."""
        ...

    def attempt_finished(self, *, lane: Lane, outcome: str, code: int | None, seconds: float) -> None:
        """Count one HTTP call and its time."""
        ...

    def lease_waited(self, *, seconds: float) -> None:
        """Note how long a lease took to be had."""
        ...

    def unknown_attempts(self, count: int) -> None:
        """Note how many attempts are unknown now."""
        ...
