"""Telling the other services, through Kafka."""

from collections.abc import Sequence

from garbo.common.priority import yielding
from garbo.common.runtime.outgoing import Envelopes
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing
from garbo.router.ports.publisher import OutgoingRecord

SOURCE = "router"


class KafkaPublisher:
    """An `Announcer`."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def publish(self, records_to_publish: Sequence[OutgoingRecord]) -> None:
        """Return when all are acknowledged; raises `RetryLater` when that is not known."""
        envelopes = Envelopes(source=SOURCE)
        records = [_outgoing(envelopes, told) async for told in yielding(records_to_publish)]
        await self._producer.publish(records)


def _outgoing(envelopes: Envelopes, told: OutgoingRecord) -> Outgoing:
    headers = envelopes.headers(told.topic, told.event, trace=told.trace)
    return Outgoing(topic=told.topic.name, key=told.key.encode(), value=told.content, headers=headers)
