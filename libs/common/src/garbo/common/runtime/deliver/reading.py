"""From raw records to what a flow can be handed: decoded, refused, or somebody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.topics import Topic
from garbo.common.events.wire import decode
from garbo.common.runtime import deadletter
from garbo.common.runtime.deliver.lane import Delivered
from garbo.common.runtime.drivers import Record


@dataclass(frozen=True, slots=True)
class Good:
    """A record to hand over."""

    record: Record
    delivered: Delivered[Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A record for the dead-letter topic."""

    record: Record
    reason: str
    where: str
    """`decoding` or `handling`."""
    alarming: bool = True
    """Whether it counts toward the dead-letter limit."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A redriven record that belongs to another lane of this service."""

    record: Record


Item: TypeAlias = Good | Refused | NotOurs


class Reader:
    """Decodes the records of one lane by their topic."""

    def __init__(
        self, *, topics: Sequence[Topic[Any]], redrive: str, others: frozenset[str], takes_strays: bool
    ) -> None:
        self._topics: Mapping[str, Topic[Any]] = {topic.name: topic for topic in topics}
        self._redrive = redrive
        self._others = others
        self._takes_strays = takes_strays

    def read(self, record: Record) -> Item:
        """Decode one record; never raises for what is in it."""
        headers = {name: value or b"" for name, value in record.headers}
        topic = record.topic
        if topic == self._redrive:
            topic = headers.get(deadletter.TOPIC, b"").decode("utf-8", "replace")
            if topic not in self._topics and not (self._takes_strays and topic not in self._others):
                return NotOurs(record)
        try:
            event = self._decode(topic, record.value)
        except Reject as reject:
            return Refused(record, reject.why, "decoding")
        return Good(
            record,
            Delivered(
                event=event,
                topic=topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key,
                value=record.value or b"",
                headers=headers,
            ),
        )

    def _decode(self, topic: str, value: bytes | None) -> Any:  # noqa: ANN401 - the topic's event
        if topic not in self._topics:
            raise Reject("unknown_topic")
        return decode(self._topics[topic], value)
