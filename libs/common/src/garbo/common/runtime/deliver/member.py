"""One lane as a member of its consumer group: takes a batch, finishes it, commits, or lets go of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from aiokafka.structs import TopicPartition

from garbo.common.errors import RetryLater
from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver.backoff import Backoff
from garbo.common.runtime.deliver.batch import MANY_REFUSED, BatchProcessor, BatchResult
from garbo.common.runtime.deliver.decoder import BatchItem, Skipped
from garbo.common.runtime.deliver.lane import DeliveryTimes
from garbo.common.runtime.deliver.offsets import Offsets
from garbo.common.runtime.drivers import Consumer, Record, Subscription
from garbo.common.runtime.kafka_metrics import (
    BATCH_RECORDS,
    BATCH_SECONDS,
    LAG_SECONDS,
    POLL_FAILURES,
    REBALANCES,
    RETRIES,
)
from garbo.common.runtime.lifecycle import where_raised

CLOSE_S = 4.0
"""Leaving the group and closing the sockets."""

SKIPPED_S = 1.0
"""How long records of other lanes may be passed over without telling the broker."""

log = structlog.get_logger()


class BatchLost(Exception):  # noqa: N818 - it says what happened
    """A polled batch never reached `take`: committing anything after it would lose it."""


class NotDrained(Exception):  # noqa: N818 - it says what happened
    """A handler ignored its cancellation, so another member may be given records it still works on."""


class GroupMember:
    """The state of one subscription. All of it lives in one event loop; batches come one at a time."""

    def __init__(  # noqa: PLR0913 - wired once, in Deliveries
        self,
        *,
        group: str,
        topics: Sequence[str],
        max_records: int,
        kafka: KafkaSettings,
        processor: BatchProcessor,
        times: DeliveryTimes,
        fail: Callable[[BaseException], None],
    ) -> None:
        self.group = group
        self.offsets = Offsets(group)
        self.backoff = Backoff(max_s=times.backoff_max_s)
        self.polled_at = time.monotonic()
        self.failed_polls = 0
        """In a row."""
        self.stuck_s = 0.0
        """For how long a partition with records that wait has stood still, as far as anybody looked."""
        self._processor = processor
        self._times = times
        self._report_failure = fail
        self._subscription = Subscription(
            kafka, group=group, topics=topics, max_records=max_records, inbox=self
        )
        self._assignment = 0
        self._polled_in = 0
        self._unseen = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._budget: asyncio.Timeout | None = None
        self._committed_at = 0.0

    @property
    def consumer(self) -> Consumer | None:
        """The consumer while there is one."""
        return self._subscription.consumer

    @property
    def busy(self) -> bool:
        """True while a batch is in hand."""
        return not self._idle.is_set()

    async def start(self) -> None:
        """Join the group; raises what aiokafka raises."""
        await self._subscription.start()
        self.polled_at = time.monotonic()

    async def abort_start(self) -> None:
        """Close what a failed start left open."""
        await bounded(f"close {self.group}", self._subscription.stop(), within_s=CLOSE_S)

    async def stop(self) -> None:
        """Stop taking, finish the batch in hand, commit, leave. Bounded; never raises."""
        self._close()
        await bounded(f"drain {self.group}", self._drain(self._times.stop_s), within_s=self._times.stop_s + 2)
        await self.offsets.commit(self.consumer, within_s=self._times.commit_s / 2)
        await bounded(f"leave {self.group}", self._subscription.stop(), within_s=CLOSE_S)

    async def commit_late(self) -> None:
        """Commit what an earlier commit could not, for lanes where nothing new comes."""
        if not self.busy:
            await self.offsets.commit(self.consumer, within_s=self._times.commit_s)

    # What the subscription tells us

    def polled(self, count: int) -> None:
        """Remember that a poll returned, and in which assignment."""
        if self._unseen and not self._closed:
            self._fail(BatchLost(f"{self._unseen} records of {self.group} were polled and never handed over"))
        self.polled_at = time.monotonic()
        self.failed_polls = 0
        self._polled_in = self._assignment
        self._unseen = count

    def poll_failed(self, error: Exception) -> None:
        """Count and say it; the consumer waits longer each time."""
        self.failed_polls += 1
        self._unseen = 0
        POLL_FAILURES.labels(self.group).inc()
        log.warning("poll failed", group=self.group, error=type(error).__name__)

    async def revoked(self) -> None:
        """Let go of all partitions: end the batch in hand, commit it, forget the rest."""
        REBALANCES.labels(self.group).inc()
        self._assignment += 1
        self.backoff.abandon()
        await self._drain(self._times.drain_s)
        await self.offsets.commit(self.consumer, within_s=self._times.commit_s)
        self.offsets.forget()

    async def take(self, records: Sequence[Record]) -> None:
        """Finish one batch. Nothing is raised: a bug is told to the process, which then ends."""
        self._unseen = 0
        if self._closed or self._polled_in != self._assignment:
            return  # never begun: whoever has the partitions next gets them again
        self._idle.clear()
        try:
            async with asyncio.timeout(None) as self._budget:
                await self._process(records)
        except TimeoutError as error:
            if self._budget and self._budget.expired():
                log.warning("batch abandoned", group=self.group, records=len(records))
            else:
                self._fail(error)
        except asyncio.CancelledError as error:
            if not _is_cancelled():
                self._fail(error)  # it came out of the flow: FastStream would end its loop without a word
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the one place: any other end is a bug
            self._fail(error)
        finally:
            self._budget = None
            self._idle.set()

    async def _process(self, records: Sequence[Record]) -> None:
        begun = time.monotonic()
        newest = max(record.timestamp for record in records)
        LAG_SECONDS.labels(self.group).set(max(0.0, time.time() - newest / 1000))
        BATCH_RECORDS.labels(self.group).observe(len(records))
        in_assignment = self._assignment
        result = await self._processor.process_batch(
            records, still_ours=lambda: not self._closed and self._assignment == in_assignment
        )
        self.offsets.done(item.record for item in result.finished)
        self.backoff.succeeded({_partition(item) for item in result.finished})
        if result.finished and self._is_worth_a_commit(result.finished):
            await self.offsets.commit(self.consumer, within_s=self._times.commit_s)
            self._committed_at = time.monotonic()
        later = await self._sooner(result)
        if later and self._assignment == in_assignment and not self._closed:
            self._postpone(result.left, later)
        BATCH_SECONDS.labels(self.group).observe(time.monotonic() - begun)

    async def _sooner(self, result: BatchResult) -> RetryLater | None:
        """Let what is held back come again at once where a good record stands behind it."""
        look = self._processor.lookout.finds_good
        if result.held and await look(result.held, self._subscription.look_ahead):
            return RetryLater(MANY_REFUSED, after=timedelta())
        return result.later

    def _is_worth_a_commit(self, finished: Sequence[BatchItem]) -> bool:
        """Pass over other lanes' records fast: what is skipped again after a crash costs nothing."""
        skipped_only = all(isinstance(item, Skipped) for item in finished)
        return not skipped_only or time.monotonic() - self._committed_at > SKIPPED_S

    def _postpone(self, left: Sequence[BatchItem], later: RetryLater) -> None:
        first: dict[TopicPartition, int] = {}
        for item in left:
            first.setdefault(_partition(item), item.record.offset)
        if consumer := self.consumer:
            delay_s = self.backoff.postpone(consumer, first=first, after=later.after)
            RETRIES.labels(self.group).inc()
            log.info(
                "retry later",
                group=self.group,
                why=later.why,
                in_s=round(delay_s, 1),
                records=len(left),
                partitions=len(first),
            )

    async def _drain(self, budget_s: float) -> None:
        """Wait for the batch in hand; cancel it when the budget is spent."""
        if self._budget and not self._budget.expired():
            self._budget.reschedule(asyncio.get_running_loop().time() + budget_s)
        try:
            async with asyncio.timeout(budget_s + 1):
                await self._idle.wait()
        except TimeoutError:
            self._fail(NotDrained(f"{self.group} did not let go of its batch"))

    def _close(self) -> None:
        self._closed = True
        self.backoff.abandon()
        if consumer := self.consumer:
            consumer.pause(*consumer.assignment())

    def _fail(self, error: BaseException) -> None:
        log.error("lane failed", group=self.group, error=type(error).__name__, **_safe_details(error))
        self._close()
        self._report_failure(error)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _safe_details(error: BaseException) -> dict[str, str]:
    """Say why, or where in the code: the text of an error that is not ours could quote a record."""
    if isinstance(error, (BatchLost, NotDrained)):
        return {"why": str(error)}
    return {"where": where_raised(error)}


def _partition(item: BatchItem) -> TopicPartition:
    return TopicPartition(item.record.topic, item.record.partition)
