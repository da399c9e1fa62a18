"""Pauses, told on Kafka."""

from collections.abc import Sequence

from garbo.common.events.pauses import PauseChanged
from garbo.common.events.topics import PAUSE_CHANGED
from garbo.common.runtime.outgoing import outgoing
from garbo.sender.outbound.kafka import Publisher


class KafkaPauseNews:
    """`PauseNews` on `garbo.pause.changed.v1`."""

    def __init__(self, producer: Publisher) -> None:
        self._producer = producer

    async def publish(self, changes: Sequence[PauseChanged]) -> None:
        """Publish; nothing to do for none."""
        if changes:
            await self._producer.publish([outgoing(PAUSE_CHANGED, one, key=one.key) for one in changes])
