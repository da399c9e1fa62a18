"""Every instant of the contract is one that UTC, and so every database, can hold."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from garbo.common.events.instants import in_calendar
from garbo.common.events.topics import TOPICS, Topic
from garbo.common.events.wire import decode, encode

CONTRACTS = Path(__file__).parents[3] / "contracts"
INSTANTS = ("not_before", "valid_until", "window_until")
ODD = {
    "0001-01-01T00:00:00+14:00": datetime.min.replace(tzinfo=UTC),
    "0001-01-01T00:00:00+00:01": datetime.min.replace(tzinfo=UTC),
    "9999-12-31T23:59:59-12:00": datetime.max.replace(tzinfo=UTC),
    "9999-12-31T23:59:59.999999-00:01": datetime.max.replace(tzinfo=UTC),
}


@pytest.mark.parametrize(("written", "taken"), ODD.items(), ids=ODD)
def test_what_no_calendar_holds_is_its_first_or_last_instant(written: str, taken: datetime) -> None:
    assert in_calendar(datetime.fromisoformat(written)) == taken


@pytest.mark.parametrize(
    "written", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-06-01T10:00:00+14:00"]
)
def test_what_it_holds_stays_as_it_is(written: str) -> None:
    assert in_calendar(datetime.fromisoformat(written)) == datetime.fromisoformat(written)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
@pytest.mark.parametrize("odd", ODD)
def test_no_instant_of_an_event_is_one_that_utc_cannot_hold(topic: Topic[Any], odd: str) -> None:
    example = json.loads((CONTRACTS / f"{topic.name}.example.json").read_text())
    changed = _with_instants(example, odd)
    assert changed != example, "each event has an instant"
    event = decode(topic, json.dumps(changed).encode())
    found = list(_instants(event.model_dump()))
    assert found
    for at in found:
        at.astimezone(UTC)
    assert decode(topic, encode(event)) == event


def _with_instants(said: Any, odd: str) -> Any:  # noqa: ANN401 - JSON is any value
    if isinstance(said, dict):
        return {
            name: odd
            if name.endswith("_at") or name in ("not_before", "valid_until", "window_until")
            else inner
            for name, inner in ((name, _with_instants(inner, odd)) for name, inner in said.items())
        }
    return [_with_instants(inner, odd) for inner in said] if isinstance(said, list) else said


def _instants(dumped: Any) -> Iterator[datetime]:  # noqa: ANN401 - as above
    match dumped:
        case datetime():
            yield dumped
        case dict():
            for inner in dumped.values():
                yield from _instants(inner)
        case list() | tuple():
            for inner in dumped:
                yield from _instants(inner)
