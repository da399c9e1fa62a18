"""Background job: publish what a change left to be told, until Kafka has acknowledged it."""

from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.ports.jobs import Outbox
from garbo.router.ports.publisher import Publisher
from garbo.router.ports.telemetry import JobMeter

AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class RelayOutbox:
    """Publishes byte for byte, records about one recipient in their order.

    A death after Kafka acknowledged and before the deletion is committed publishes them again: whoever reads
    them knows each by its id.
    """

    outbox: Outbox
    publisher: Publisher
    job_meter: JobMeter
    name: ClassVar[str] = "relay_outbox"
    schedule: ClassVar[Schedule] = Schedule(interval_s=0.1, rest_ratio=0.1)
    """What is to be told was decided already: somebody waits for it."""

    async def once(self) -> bool:
        """Publish the oldest; tells whether there may be more. Raises `RetryLater`: then all stay."""
        async with self.outbox.oldest(AT_ONCE) as records:
            await self.publisher.publish([record.outgoing for record in records])
        self.job_meter.published(len(records))
        return len(records) == AT_ONCE
