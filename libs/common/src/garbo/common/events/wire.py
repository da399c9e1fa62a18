"""Events to bytes and back, and the CloudEvents attributes that travel in Kafka headers."""

from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from pydantic import ValidationError

from garbo.common.errors import Reject
from garbo.common.events.base import Event
from garbo.common.events.faults import advice_of
from garbo.common.events.jsontext import MAX_VALUES_COUNT, parse_json
from garbo.common.events.topics import TOPICS, Topic

E = TypeVar("E", bound=Event)
Headers = tuple[tuple[str, bytes], ...]


class EventIdentity(Protocol):
    """What the headers of a record say of its event."""

    @property
    def event_id(self) -> str:
        """Identify the fact."""
        ...

    @property
    def happened_at(self) -> datetime:
        """Say when it happened."""
        ...


_BY_NAME: Final[dict[str, Topic[Any]]] = {topic.name: topic for topic in TOPICS}


def topic_named(name: str) -> Topic[Any]:
    """Find a topic of the table by its name; raises `Reject("unknown_topic")`."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise Reject("unknown_topic") from None


def encode(event: Event) -> bytes:
    """Write an event as JSON, without fields that are null."""
    return event.model_dump_json(exclude_none=True).encode()


def decode(topic: Topic[E], value: bytes | None) -> E:
    """Read an event of this topic.

    Raises `Reject`: `empty`, `too_large` for the topic, `not_json`, `too_deep`, `too_many_values`, or
    `invalid:<field>` for the first field at fault.
    """
    if not value:
        raise Reject("empty")
    if len(value) > topic.max_event_bytes:
        raise Reject("too_large")
    said = parse_json(value, most_values=MAX_VALUES_COUNT)
    try:
        return topic.event.model_validate(said)
    except ValidationError as error:
        if (instead := topic.event.instead_of(said, error)) is not None:
            return instead
        raise Reject(f"invalid:{_first_field(error)}") from None


def attributes(topic: Topic[Any], event: EventIdentity, *, source: str) -> Headers:
    """Give the CloudEvents 1.0 attributes in binary mode.

    Source: CloudEvents, Kafka protocol binding 1.0.2, section 3.2 (attribute names carry `ce_`).
    """
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", event.event_id.encode()),
        ("ce_source", f"/garbo/{source}".encode()),
        ("ce_type", topic.name.encode()),
        ("ce_time", event.happened_at.isoformat().encode()),
        ("content-type", b"application/json"),
    )


def _first_field(error: ValidationError) -> str:
    (place, _), *_ = advice_of(error)
    return ".".join(str(part) for part in place) or "body"
