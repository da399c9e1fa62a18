"""Telling the other services, through Kafka."""

from collections.abc import Sequence
from dataclasses import replace

from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Outgoing, Producer
from garbo.router.ports import Announcement


class KafkaAnnouncer:
    """An `Announcer`."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Return when all are acknowledged; raises `RetryLater` when that is not known."""
        await self._producer.publish([_outgoing(announcement) for announcement in announcements])


def _outgoing(told: Announcement) -> Outgoing:
    record = outgoing(told.topic, told.event, key=told.key, trace=told.trace)
    return record if told.value is None else replace(record, value=told.value)
