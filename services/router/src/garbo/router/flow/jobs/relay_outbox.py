"""Use case: publish what a change left to be told, until Kafka has acknowledged it."""

from dataclasses import dataclass
from typing import Final

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
    meter: JobMeter

    async def once(self) -> bool:
        """Publish the oldest; tells whether there may be more. Raises `RetryLater`: then all stay."""
        async with self.outbox.oldest(AT_ONCE) as parcels:
            await self.publisher.publish([parcel.outgoing for parcel in parcels])
        self.meter.published(len(parcels))
        return len(parcels) == AT_ONCE
