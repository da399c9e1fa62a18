"""What the flow needs from outside, in the flow's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.sender.domain.outcomes import Answer, Outcome


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a message that comes again, or for the first time (all defaults)."""

    attempts_count: int = 0
    claimed: bool = False
    """An attempt was begun under this very grant: its claim is ours already."""
    result: SendResult | None = None
    """The recorded result of this very grant, or what makes it useless: publish it again, send nothing."""
    stale: bool = False
    """The grant was replaced by one with a higher epoch, which speaks for the message."""


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """An attempt that is about to be written."""

    grant: SendGranted
    n: int
    """From 1, one more than the attempts already made."""
    again: bool
    """An earlier attempt under this grant was not sent: the claim is ours already."""
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class BeginResult:
    """The answer to a `PlannedAttempt`: `refused` carries the result to publish.

    `too_soon`: the number has sent too much to this person lately; nothing was claimed.
    """

    message_id: UUID
    outcome: Literal["begun", "elsewhere", "refused", "too_soon"]
    result: SendResult | None = None
    after_s: float = 0.0
    """For `too_soon`: the seconds until it may go, at the earliest."""


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """What became of an attempt, to be recorded."""

    grant: SendGranted
    attempt_id: str
    outcome: Outcome
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedGrant:
    """A grant that is not sent, and why."""

    grant: SendGranted
    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptStatus:
    """A status that carries one of our attempt ids."""

    attempt_id: str
    status: str
    platform_message_ref: str
    code: int | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class SettledAttempt:
    """An attempt that a status decided; `traceparent` is the send's own."""

    result: SendResult
    traceparent: str | None


class Attempts(Protocol):
    """The memory of what was sent. Each method is one transaction, committed when it returns.

    All raise `RetryLater` when the memory cannot be reached; nothing is then known to be written.
    """

    async def recall(self, grants: Sequence[SendGranted]) -> tuple[datetime, Mapping[UUID, Past]]:
        """Say what is known of each message, and the database's instant.

        An attempt still `dispatching` is left over from a process that is gone: it becomes `unknown`.
        """
        ...

    async def begin(self, planned: Sequence[PlannedAttempt]) -> Mapping[UUID, BeginResult]:
        """Claim the grants and write the attempts `dispatching`. After it returns the bytes may leave."""
        ...

    async def record(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        """Write outcomes; give the current result of each message that has one (none after `NotYet`)."""
        ...

    async def refuse(self, refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
        """Write that grants are not sent; give each message's result (none while a call is under way)."""
        ...

    async def settle(self, seen: Sequence[AttemptStatus]) -> Sequence[SettledAttempt]:
        """Let statuses decide attempts that are open; the same status again gives the same result again."""
        ...

    async def traces_of(self, attempt_ids: Sequence[str]) -> Mapping[str, str | None]:
        """Find the traces in which attempts were sent; unknown attempts are left out."""
        ...

    async def abandon(self, *, older_than: timedelta, limit: int) -> Sequence[SendResult]:
        """Turn attempts that are `dispatching` for longer into `unknown`."""
        ...

    async def unknown_count(self) -> int:
        """Count the attempts that are `unknown`."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """Permission to send `count` messages from one number, evenly, starting `starts_in_s` from now."""

    count: int
    starts_in_s: float
    interval_s: float


@dataclass(frozen=True, slots=True)
class NoLease:
    """No lease now; ask again after `after_s`."""

    after_s: float


class Memories(Protocol):
    """What is kept of people and of long ago. Each method is one transaction; all raise `RetryLater`."""

    async def forget(self, contact_ids: Sequence[UUID]) -> None:
        """Put `ERASED_CONTACT` in the place of these people, and of all who were erased lately.

        Forget, too, by which message of the platform they would be known.
        """
        ...

    async def drop_old(self, *, keep: timedelta, limit: int) -> bool:
        """Delete messages and pairs older than that, `limit` of each; tells whether there may be more."""
        ...


class RateLeases(Protocol):
    """The rate of each number, shared by all replicas. Raises `RetryLater` when it cannot be reached."""

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """Take a lease of `LEASE_S` of the rate at most, which starts in `ready_in_s` or later."""
        ...

    async def slow_down(self, number: str, *, ceiling_per_s: float) -> None:
        """Halve the number's rate for all replicas, at most once a second; it recovers by itself."""
        ...


class WhatsApp(Protocol):
    """The platform."""

    async def post(self, grant: SendGranted, *, attempt_id: str) -> Answer:
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

    def lease_waited(self, *, lane: Lane, seconds: float) -> None:
        """Note how long a lane waited for its turn."""
        ...

    def unknown_attempts(self, count: int) -> None:
        """Note how many attempts are unknown now."""
        ...
