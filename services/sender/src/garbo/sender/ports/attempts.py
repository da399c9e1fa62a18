"""The memory of what was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from garbo.common.events.results import SendResult
from garbo.sender.domain.outcomes import Outcome
from garbo.sender.domain.queued_send import QueuedSend


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """An attempt that is about to be written."""

    send: QueuedSend
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class BeginResult:
    """The answer to a `PlannedAttempt`. `refused`: its result is written.

    `too_soon`: the number has sent too much to this person lately; nothing was claimed.
    """

    outcome: Literal["begun", "elsewhere", "refused", "too_soon"]
    n: int = 0
    """Of the attempt, from 1."""
    resent_count: int = 0
    """How often it was sent although the attempt before may have arrived."""
    after_s: float = 0.0
    """For `too_soon`: the seconds until it may go, at the earliest."""


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """What became of an attempt, to be recorded."""

    send: QueuedSend
    n: int
    outcome: Outcome
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedGrant:
    """A grant that is not sent, and why."""

    send: QueuedSend
    reason: str


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

    async def begin(self, planned: Sequence[PlannedAttempt]) -> Sequence[BeginResult]:
        """Claim the grants and write the attempts `dispatching`. After it returns the bytes may leave.

        All are of one number and lane, no two of one person.
        """
        ...

    async def record(self, finished: Sequence[FinishedAttempt]) -> Mapping[UUID, SendResult]:
        """Write outcomes; give the current result of each message that has one (none after `NotYet`)."""
        ...

    async def refuse(self, refused: Sequence[RefusedGrant]) -> Mapping[UUID, SendResult]:
        """Write that grants are not sent; give each message's result (none while a call is under way)."""
        ...

    async def results(self, messages: Sequence[UUID]) -> Mapping[UUID, SendResult]:
        """Give the result of each message that has one."""
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

    async def unsettled(self, *, older_than: timedelta, limit: int) -> Sequence[SendResult]:
        """Say of attempts that are `unknown` for longer that nothing will settle them: each is told once."""
        ...

    async def unknown_count(self) -> int:
        """Count the attempts that are `unknown`."""
        ...
