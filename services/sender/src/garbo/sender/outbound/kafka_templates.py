"""What was read of templates, published on Kafka."""

from collections.abc import Sequence

from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.topics import TEMPLATE_OBSERVED
from garbo.common.runtime.outgoing import outgoing
from garbo.sender.outbound.kafka import Publisher


class KafkaTemplates:
    """`TemplateRecords` on `garbo.template.observed.v1`: one partition, so in the order they are given."""

    def __init__(self, producer: Publisher) -> None:
        self._producer = producer

    async def publish(self, records: Sequence[TemplateObserved]) -> None:
        """Publish; nothing to do for none."""
        if records:
            await self._producer.publish([outgoing(TEMPLATE_OBSERVED, one, key=one.key) for one in records])
