"""From an event to the record that carries it: CloudEvents headers and the trace it belongs to."""

from typing import TypeVar

from garbo.common.events.base import Event
from garbo.common.events.topics import SERVICES, Topic
from garbo.common.events.wire import attributes, encode
from garbo.common.runtime.producer import Outgoing
from garbo.common.runtime.telemetry import current_traceparent

E = TypeVar("E", bound=Event)


def outgoing(
    topic: Topic[E], event: E, *, key: str, trace: str | None = None, source: str | None = None
) -> Outgoing:
    """Make the record of an event.

    `key` decides the partition and shows up in tools: a keyed hash or an id, never an address.
    `trace` is a `Delivered.trace` whose trace goes on; without it, the current span's does.
    `source` is who says so; without it, the one service that writes the topic.
    """
    headers = attributes(topic, event, source=source or _writer(topic))
    traceparent = trace or current_traceparent()
    if traceparent:
        headers = (*headers, ("traceparent", traceparent.encode()))
    return Outgoing(topic=topic.name, key=key.encode(), value=encode(event), headers=headers)


def _writer(topic: Topic[E]) -> str:
    return next((writer for writer in topic.writers if writer in SERVICES), "unknown")
