"""Null is absent, for each field that may be left out; and faults are told in JSON's words."""

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import orjson
import pytest
from pydantic import ValidationError

from garbo.common.contracts.examples import examples
from garbo.common.events.base import Event, Part
from garbo.common.events.faults import advice_of
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import TOPICS, Topic
from garbo.common.events.wire import decode, encode

TOPIC_OF = {topic.event: topic for topic in TOPICS}
REQUEST = next(orjson.loads(encode(e)) for e in examples() if isinstance(e, SendRequested))
PYTHONS_WORDS = ("tuple", "dict", "list", "str ", "int ", "float", "bool", "none", "model", "instance", "arg")


def models_of(kind: object) -> Iterator[type[Part]]:
    """Give the models a type is made of, and those of their fields."""
    if isinstance(kind, type) and issubclass(kind, Part):
        yield kind
        for field in kind.model_fields.values():
            yield from models_of(field.annotation)
    for inner in get_args(kind):
        if get_origin(kind) in (Union, types.UnionType, tuple) or hasattr(kind, "__metadata__"):
            yield from models_of(inner)


def outcome(model: type[Part], given: dict[str, Any]) -> Part | list[Any]:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        return [(fault["loc"], fault["type"]) for fault in error.errors()]


# The type of a content tells which model it is, so it is never absent.
OPTIONAL = sorted(
    {
        (model, name)
        for topic in TOPICS
        for model in models_of(topic.event)
        for name, field in model.model_fields.items()
        if not (field.is_required() or (name == "type" and "content" in model.__module__))
    },
    key=lambda one: (one[0].__name__, one[1]),
)


@pytest.mark.parametrize(("model", "name"), OPTIONAL, ids=[f"{m.__name__}.{n}" for m, n in OPTIONAL])
def test_null_means_the_default(model: type[Part], name: str) -> None:
    """A field alone in its model: whatever else is missing, null is told nothing that absence is not."""
    assert outcome(model, {name: None}) == outcome(model, {})


@pytest.mark.parametrize("example", examples(), ids=lambda e: type(e).__name__)
def test_event_whose_optional_fields_are_all_null_is_the_event_without_them(example: Event) -> None:
    topic: Topic[Any] = TOPIC_OF[type(example)]
    fields = {name for name, field in type(example).model_fields.items() if not field.is_required()}
    left_out = {k: v for k, v in orjson.loads(encode(example)).items() if k not in fields}
    nulls = left_out | dict.fromkeys(fields)
    assert decode(topic, orjson.dumps(nulls)) == decode(topic, orjson.dumps(left_out))


def test_misspelt_field_is_told_even_when_it_is_null() -> None:
    with pytest.raises(ValidationError, match="piority"):
        SendRequested.model_validate(REQUEST | {"piority": None}, extra="forbid")


WRONG = [None, True, 7, 7.5, "x", [], ["x"], {}, {"x": 1}]
FIELDS = sorted(SendRequested.model_fields)


@pytest.mark.parametrize("name", FIELDS)
def test_fault_is_told_in_words_of_json(name: str) -> None:
    told = []
    for value in WRONG:
        try:
            SendRequested.model_validate(REQUEST | {name: value})
        except ValidationError as error:
            told += [advice for place, advice in advice_of(error) if place[:1] == (name,)]
    assert told, "some of these values must be wrong"
    assert [a for a in told if any(word in a.lower() for word in PYTHONS_WORDS)] == []


@pytest.mark.parametrize(
    ("field", "value", "advice"),
    [
        ("tags", "promo", "must be an array"),
        ("tags", ["x"] * 21, "must hold at most 20 elements"),
        ("to", "x", "must be an object"),
        ("content", 7, "must be an object"),
        ("override", [], "must be an object"),
        ("priority", "high", "must be a whole number"),
        ("priority", 7.5, "must be a whole number"),
        ("brand", 7, "must be a string"),
        ("brand", None, "must be a string"),
        ("request_id", [], "must be a UUID"),
        ("expires_at", [], "must be an instant with its UTC offset, such as 2026-06-01T10:00:00Z"),
    ],
)
def test_advice_says_what_the_field_must_be(field: str, value: object, advice: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SendRequested.model_validate(REQUEST | {field: value})
    assert advice_of(caught.value) == [((field,), advice)]
