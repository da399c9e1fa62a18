"""What a service says about what it consumes, and what its flow is handed."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from garbo.common.events.topics import Topic

E = TypeVar("E")
TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""Source: W3C Trace Context, level 1, section 3.2.2."""


@dataclass(frozen=True, slots=True)
class Delivered(Generic[E]):
    """One record, decoded, with where it stood and its bytes as they were."""

    event: E
    topic: str
    """The topic it was written to first: a redriven record names its origin here."""
    partition: int
    """Of the record that was read, as is `offset`: for logs, not an identity."""
    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes]

    @property
    def record(self) -> str:
        """Where it stood: the same whenever it is read again."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def trace(self) -> str | None:
        """The trace it belongs to; hand it to `outgoing` or `resumed` and otherwise leave it alone.

        A stranger wrote it: what is no traceparent is none, for it is kept, and travels on with what follows.
        """
        traceparent = self.headers.get("traceparent", b"")
        return traceparent.decode() if TRACEPARENT.fullmatch(traceparent) else None


@dataclass(frozen=True, slots=True)
class RefusalPace:
    """When refusals look like our own fault, and how slowly they are buried then."""

    free_count: int = 100
    """So many in a row of one publisher are buried at once, whatever else is known."""
    proven_s: float = 60.0
    """A good record of a topic proves for so long that we can read it: who is refused then is at fault."""
    slow_per_s: float = 50.0
    """Without such a proof a lane buries so many a second: a bad deploy does not empty a topic."""
    burst_count: int = 100


@dataclass(frozen=True, slots=True)
class Lane(Generic[E]):
    """One consumer group of a service, and the use case its batches go to.

    `handle` gets one decoded batch: records of all assigned partitions, in order within each.
    It must be idempotent, for every record may come again. It ends in one of four ways:

    - it returns: all is done, offsets are committed;
    - `RetryLater`: the whole batch comes again later, its partitions wait meanwhile;
    - `Reject`: that of a single record is its dead letter; a larger batch comes again record by record,
      so that only the bad one goes there;
    - anything else is a bug: nothing is committed and the process stops.
    """

    group: str
    """`<service>.<lane>`, such as `router.care`."""
    topics: tuple[Topic[Any], ...]
    handle: Callable[[Sequence[Delivered[E]]], Awaitable[None]]
    max_records: int = 500
    wants: Callable[[bytes], bool] | None = None
    """Which records are this lane's, told by their bytes, where several lanes read one topic; None is all.

    Asked before anything is decoded. Of the lanes of one topic exactly one must want each record, whatever
    is in it.
    """
    refusals: RefusalPace = field(default_factory=RefusalPace)
    doors: Mapping[str, Callable[[bytes], E]] = field(default_factory=dict)
    """Where records came in that were never in a topic, such as `http:/webhooks/whatsapp`, and how one is
    decoded (it may raise `Reject`). They come through redrive alone."""

    @property
    def origins(self) -> frozenset[str]:
        """Where its records came in."""
        return frozenset((*(topic.name for topic in self.topics), *self.doors))


@dataclass(frozen=True, slots=True)
class DeliveryTimes:
    """How long everything may take, in seconds.

    revoke:  drain_s 45 + commit_s 8            < 60, the group's rebalance timeout
    stop:    stop_s 12 + commit_s 8 / 2 + 4     < 25, the lifecycle's budget for one component
    """

    drain_s: float = 45.0
    """The batch in hand gets this long when partitions are revoked; then it is cancelled."""
    stop_s: float = 12.0
    """The same when the process is told to stop."""
    commit_s: float = 8.0
    backoff_max_s: float = 60.0
    """Retries wait `after`, twice that, four times ... and never longer than this."""
    watchdog_s: float = 120.0
    """A lane that does not consume for this long ends the process."""
    look_every_s: float = 10.0
    """How often lag is measured, late commits are tried again, and the watchdog looks."""
