"""A batch processor without a broker: what it publishes stands in memory."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.deliver import Delivered, RefusalPace
from garbo.common.runtime.deliver.batch import BatchProcessor, BatchResult
from garbo.common.runtime.deliver.burial import DeadLetters
from garbo.common.runtime.deliver.decoder import Decoder
from garbo.common.runtime.deliver.refusals import Refusals
from garbo.common.runtime.raw_producer import Outgoing, encoded_bytes
from libs.common.tests.support.clock import FixedClock
from libs.common.tests.support.delivery import Noted, Raw, noted_topic

TOPIC = noted_topic(Raw.topic)
REDRIVE = "garbo.unit.redrive.v1"
Handle = Callable[[Sequence[Delivered[Noted]]], Awaitable[None]]


class Letters:
    """A dead-letter topic in memory, which may be out of reach, or take small records only."""

    def __init__(self, *, reachable: bool = True, limit_bytes: int | None = None) -> None:
        self.reachable = reachable
        self.limit_bytes = limit_bytes
        self.records: list[Outgoing] = []

    @property
    def values(self) -> list[bytes]:
        """What stands in it."""
        return [record.value for record in self.records]

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Take all of them, or none."""
        if records and not self.reachable:
            raise RetryLater("kafka_publish")
        if self.limit_bytes is not None and any(encoded_bytes(r) > self.limit_bytes for r in records):
            raise Reject("record_too_large")
        self.records.extend(records)


def processor_of(
    handle: Handle,
    letters: Letters,
    *,
    pace: RefusalPace | None = None,
    wants: Callable[[bytes], bool] | None = None,
    takes_strays: bool = False,
    now: Callable[[], float] = lambda: 0.0,
) -> BatchProcessor:
    """Make the processor of one lane."""
    return BatchProcessor(
        group="unit.lane",
        handle=handle,
        decoder=Decoder(
            topics=[TOPIC],
            redrive=REDRIVE,
            others=frozenset({"theirs"}),
            takes_strays=takes_strays,
            wants=wants,
        ),
        refusals=Refusals(pace or RefusalPace(), now),
        dead_letters=DeadLetters(
            group="unit.lane",
            to="garbo.unit.dlq.v1",
            redrive=REDRIVE,
            publisher=letters,
            clock=FixedClock(datetime(2026, 1, 1, tzinfo=UTC)),
        ),
        now=now,
    )


async def finish(  # noqa: PLR0913 - what a lane may be, all optional
    handle: Handle,
    records: Sequence[Raw],
    letters: Letters,
    *,
    still_ours: Callable[[], bool] = lambda: True,
    pace: RefusalPace | None = None,
    wants: Callable[[bytes], bool] | None = None,
    takes_strays: bool = False,
) -> BatchResult:
    """Take one batch as far as it goes."""
    processor = processor_of(handle, letters, pace=pace, wants=wants, takes_strays=takes_strays)
    return await processor.process_batch(records, still_ours=still_ours)


def offsets(end: BatchResult) -> tuple[list[int], list[int]]:
    """Give the offsets that are done, and those that come again."""
    return [i.record.offset for i in end.finished], [i.record.offset for i in end.left]
