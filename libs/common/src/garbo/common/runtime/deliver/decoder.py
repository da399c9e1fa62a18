"""From raw records to what a flow can be handed: decoded, refused, or somebody else's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.topics import Topic
from garbo.common.events.wire import decode
from garbo.common.runtime import deadletter
from garbo.common.runtime.deliver.lane import Delivered
from garbo.common.runtime.drivers import Record
from garbo.common.runtime.salvage import Unreadable


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record to hand over."""

    record: Record
    delivered: Delivered[Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A record for the dead-letter topic."""

    record: Record
    reason: str
    where: str
    """`reading` (and how many, where a batch is lost whole), `decoding` or `handling`."""
    alarming: bool = True
    """Whether many of its kind are buried slowly."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that belongs to another lane of this service."""

    record: Record


BatchItem: TypeAlias = Decoded | Refused | Skipped


class Decoder:
    """Decodes the records of one lane by their topic."""

    def __init__(
        self,
        *,
        topics: Sequence[Topic[Any]],
        redrive: str,
        others: frozenset[str],
        takes_strays: bool,
        wants: Callable[[bytes], bool] | None = None,
        doors: Mapping[str, Callable[[bytes], Any]] | None = None,
    ) -> None:
        self._reading: Mapping[str, Callable[[bytes], Any]] = {
            **{topic.name: partial(decode, topic) for topic in topics},
            **(doors or {}),
        }
        self._redrive = redrive
        self._others = others
        self._takes_strays = takes_strays
        self._wants = wants

    def decode(self, record: Record) -> BatchItem:
        """Decode one record; never raises for what is in it."""
        if isinstance(record, Unreadable):
            several = f" {record.count} records up to this one" if record.count > 1 else ""
            return self._refuse_for_all(record, f"unreadable:{record.error}", f"reading{several}")
        headers = {name: value or b"" for name, value in record.headers}
        try:
            topic = self._topic_of(record, headers)
            if topic is None:
                return Skipped(record)
            event = self._event_of(topic, record.value)
        except Reject as reject:
            return Refused(record, reject.why, "decoding")
        except Exception as error:  # noqa: BLE001 - bytes in, an event out: what fails here, fails of these bytes
            return self._refuse_for_all(record, f"undecodable:{type(error).__name__}", "decoding")
        return Decoded(
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

    def _topic_of(self, record: Record, headers: Mapping[str, bytes]) -> str | None:
        """Give the topic a record was written to first; None when the record is another lane's."""
        topic = record.topic
        if topic == self._redrive:
            topic = headers.get(deadletter.TOPIC, b"").decode("utf-8", "replace")
            if topic not in self._reading:
                return topic if self._is_stray(topic) else None
        return None if self._leaves(record) else topic

    def _leaves(self, record: Record) -> bool:
        return self._wants is not None and not self._wants(record.value or b"")

    def _refuse_for_all(self, record: Record, reason: str, where: str) -> BatchItem:
        """Refuse a record of which no lane can tell whose it is: the first lane of a topic does."""
        if self._wants is not None and not self._takes_strays:
            return Skipped(record)
        return Refused(record, reason, where)

    def _is_stray(self, topic: str) -> bool:
        """Whether a redriven record of no lane's topic is this lane's to refuse."""
        return self._takes_strays and topic not in self._others

    def _event_of(self, topic: str, value: bytes | None) -> Any:  # noqa: ANN401 - the topic's event
        if topic not in self._reading:
            raise Reject("unknown_topic")
        return self._reading[topic](value or b"")
