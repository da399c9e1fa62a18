"""From an event to the record that carries it: CloudEvents headers and the trace it belongs to."""

from datetime import datetime
from typing import Any, TypeVar

from garbo.common.errors import Reject
from garbo.common.events.base import Event
from garbo.common.events.topics import SERVICES, Topic
from garbo.common.events.wire import EventIdentity, Headers, attributes, encode
from garbo.common.runtime.raw_producer import Outgoing
from garbo.common.runtime.telemetry import current_traceparent

E = TypeVar("E", bound=Event)


def outgoing(
    topic: Topic[E], event: E, *, key: str, trace: str | None = None, source: str | None = None
) -> Outgoing:
    """Make the record of an event.

    `key` decides the partition and shows up in tools: a keyed hash or an id, never an address.
    `trace` is a `Delivered.trace` whose trace goes on; without it, the current span's does.
    `source` is who says so; without it, the one service that writes the topic.
    Raises `Reject("record_too_large")` for more bytes than the topic's readers take of an event.
    """
    value = encode(event)
    if len(value) > topic.max_event_bytes:
        raise Reject("record_too_large")
    headers = attributes(topic, event, source=source or _writer(topic))
    traceparent = trace or current_traceparent()
    if traceparent:
        headers = (*headers, ("traceparent", traceparent.encode()))
    return Outgoing(topic=topic.name, key=key.encode(), value=value, headers=headers)


class Envelopes:
    """The headers of many records of one moment, as `outgoing` writes them; what they share is made once."""

    def __init__(self, *, source: str) -> None:
        self._source = source
        self._traceparent = current_traceparent()
        self._alike: dict[tuple[str, datetime], Headers] = {}

    def headers(self, topic: Topic[Any], event: EventIdentity, *, trace: str | None) -> Headers:
        """Give the CloudEvents attributes of an event and the trace it belongs to."""
        key = (topic.name, event.happened_at)
        alike = self._alike.get(key)
        if alike is None:
            alike = self._alike[key] = attributes(topic, event, source=self._source)
        version, _, *others = alike
        traceparent = trace or self._traceparent
        if traceparent:
            others.append(("traceparent", traceparent.encode()))
        return (version, ("ce_id", event.event_id.encode()), *others)


def _writer(topic: Topic[E]) -> str:
    return next((writer for writer in topic.writers if writer in SERVICES), "unknown")
