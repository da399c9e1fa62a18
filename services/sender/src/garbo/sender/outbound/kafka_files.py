"""What became of customers' files, told on Kafka."""

from collections.abc import Sequence

from garbo.common.events.received_files import InboundMedia
from garbo.common.events.topics import INBOUND_MEDIA
from garbo.common.runtime.outgoing import outgoing
from garbo.sender.outbound.kafka import Publisher


class KafkaFileNews:
    """`FileNews` on `garbo.inbound.media.v1`, keyed by contact."""

    def __init__(self, producer: Publisher) -> None:
        self._producer = producer

    async def publish(self, news: Sequence[InboundMedia]) -> None:
        """Publish; nothing to do for none."""
        if news:
            await self._producer.publish([outgoing(INBOUND_MEDIA, n, key=str(n.contact_id)) for n in news])
