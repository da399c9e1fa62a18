"""The event log on Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from prometheus_client import Histogram

from garbo.common.clock import Clock
from garbo.common.errors import Reject
from garbo.common.events.topics import WEBHOOK_RECEIVED, dead_letters, record_limit_bytes
from garbo.common.events.wire import Headers
from garbo.common.runtime.deadletter import TOPIC, Failure, count_dead_letters, dead_letter_of
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.raw_producer import Outgoing, encoded_bytes
from garbo.common.runtime.received import RECEIVED_AT, WHATSAPP_DOOR
from garbo.common.runtime.telemetry import current_traceparent
from garbo.ingest.domain.parts import Found
from garbo.ingest.outbound.wide_produce import RecordPublisher
from garbo.ingest.ports import Entry, ReceivedBody

SOURCE: Final = "ingest"
DEAD_LETTERS: Final = dead_letters(SOURCE).name
PRODUCE_S: Final = Histogram(
    "garbo_ingest_produce_seconds",
    "From handing all records of a request to Kafka until all are acknowledged.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)


@dataclass(slots=True)
class _FromHttp:
    """A refused piece of a request, as the dead-letter topic sees it: it never had a partition or offset."""

    value: bytes | None
    topic: str = WHATSAPP_DOOR
    partition: int = -1
    offset: int = -1
    timestamp: int = -1
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


class KafkaEventLog:
    """An `EventLog`: one record an entry, in the entries' order within a partition."""

    def __init__(self, producer: RecordPublisher, clock: Clock) -> None:
        self._producer = producer
        self._clock = clock

    async def append(self, entries: Sequence[Entry]) -> None:
        """Publish all entries and wait for every acknowledgement. Requests at the same time share batches."""
        trace = current_traceparent()
        records = [self._record(entry, trace) for entry in entries]
        began = perf_counter()
        try:
            await self._producer.publish(records)
            count_dead_letters(record for record in records if record.topic == DEAD_LETTERS)
        finally:
            PRODUCE_S.observe(perf_counter() - began)

    def fits(self, entry: Entry) -> bool:
        """Measure an entry's record by the limits of its topic. A dead letter always fits: it is cut."""
        try:
            record = self._record(entry, current_traceparent())
        except Reject:
            return False
        return encoded_bytes(record) <= record_limit_bytes(record.topic)

    def _record(self, entry: Entry, trace: str | None) -> Outgoing:
        if isinstance(entry, Found):
            return outgoing(entry.topic, entry.event, key=entry.key, trace=trace, source=SOURCE)
        headers: Headers = ((RECEIVED_AT, entry.received_at.isoformat().encode()),)
        if trace:
            headers = (*headers, ("traceparent", trace.encode()))
        if isinstance(entry, ReceivedBody):
            came_in = (TOPIC, WHATSAPP_DOOR.encode())
            return Outgoing(WEBHOOK_RECEIVED.name, None, entry.body, (came_in, *headers))
        return dead_letter_of(
            _FromHttp(entry.body, headers=headers),
            to=DEAD_LETTERS,
            failure=Failure(reason=entry.reason, error="Reject", failed_at=self._clock.now()),
        )
