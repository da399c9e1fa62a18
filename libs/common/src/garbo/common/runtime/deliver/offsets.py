"""What is done, and telling the broker so."""

from collections.abc import Iterable

import structlog
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import TopicPartition

from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.drivers import Consumer, Record
from garbo.common.runtime.kafka_metrics import COMMIT_FAILURES

log = structlog.get_logger()


class Offsets:
    """The next offset of each partition after what is done. Commits only that, explicitly."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def done(self, records: Iterable[Record]) -> None:
        """Note records as done; in order within each partition."""
        for record in records:
            self._next[TopicPartition(record.topic, record.partition)] = record.offset + 1

    def next_of(self, partition: TopicPartition) -> int | None:
        """Give the offset after the last record done here since the assignment; None when there is none."""
        return self._next.get(partition)

    def forget(self) -> None:
        """Forget everything: the partitions were revoked."""
        self._next.clear()
        self._committed.clear()

    async def commit(self, consumer: Consumer | None, *, within_s: float) -> None:
        """Commit what is not committed yet. Never raises for a failure: it is counted and tried again later.

        After a rebalance the partitions are another member's: then the offsets are forgotten, and it
        does those records again.
        """
        late = {tp: offset for tp, offset in self._next.items() if self._committed.get(tp) != offset}
        if not late or consumer is None:
            return
        if not await bounded("commit", self._commit_late(consumer, late), within_s=within_s):
            self._failed("error", error="not in time")

    async def _commit_late(self, consumer: Consumer, late: dict[TopicPartition, int]) -> None:
        try:
            await consumer.commit(late)
        except (CommitFailedError, IllegalStateError):
            self._failed("rebalanced")
            self.forget()
        except KafkaError as error:
            self._failed("error", error=type(error).__name__)
        else:
            self._committed.update(late)

    def _failed(self, reason: str, **more: str) -> None:
        COMMIT_FAILURES.labels(self._group, reason).inc()
        log.warning("commit failed", group=self._group, reason=reason, **more)
