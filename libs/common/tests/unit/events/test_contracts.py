"""The committed contract is what the code says, and a version never breaks."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from garbo.common.contracts.examples import examples
from garbo.common.contracts.generate import CONTRACTS, PUBLISHED, generated_files
from garbo.common.contracts.schemas import schema_of
from garbo.common.events.topics import SEND_REQUESTED, TOPICS, Topic
from garbo.common.events.wire import decode, encode
from libs.common.tests.support.breaking_changes import breaking_changes

ROOT = Path(__file__).parents[5]
GENERATED = generated_files()


@pytest.mark.parametrize("path", list(GENERATED), ids=str)
def test_committed_file_is_what_generate_would_write(path: Path) -> None:
    assert (ROOT / path).read_bytes() == GENERATED[path], "stale: type `make generate`"


def test_no_contract_file_is_left_over() -> None:
    committed = {p.relative_to(ROOT) for p in (ROOT / CONTRACTS).iterdir() if p.is_file()}
    assert committed == {p for p in GENERATED if CONTRACTS in p.parents}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_example_fits_its_schema_and_survives_the_wire(topic: Topic[Any]) -> None:
    example = next(e for e in examples() if type(e) is topic.event)
    jsonschema.validate(orjson.loads(encode(example)), schema_of(topic))
    assert decode(topic, encode(example)) == example


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_unknown_fields_are_ignored_by_consumers(topic: Topic[Any]) -> None:
    example = next(e for e in examples() if type(e) is topic.event)
    grown = orjson.dumps(orjson.loads(encode(example)) | {"tomorrow": {"new": True}})
    assert decode(topic, grown) == example


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.name)
def test_schema_breaks_nothing_that_was_published(topic: Topic[Any]) -> None:
    published = ROOT / PUBLISHED / f"{topic.name}.schema.json"
    assert published.exists(), "new topic: type `.venv/bin/python -m garbo.common.contracts --publish`"
    assert breaking_changes(orjson.loads(published.read_bytes()), schema_of(topic)) == []


def _changed(path: list[str], value: object) -> dict[str, Any]:
    schema = copy.deepcopy(schema_of(SEND_REQUESTED))
    node = schema
    for key in path[:-1]:
        node = node[key]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return schema


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        pytest.param(["properties", "campaign"], None, "campaign: field is gone", id="field removed"),
        pytest.param(
            ["properties", "priority"], {"type": "string"}, "priority: type changed", id="type changed"
        ),
        pytest.param(
            ["properties", "purpose"],
            {"enum": ["care"], "type": "string"},
            "values are gone",
            id="value removed",
        ),
        pytest.param(
            ["required"],
            [*schema_of(SEND_REQUESTED)["required"], "campaign"],
            "campaign: became required",
            id="made required",
        ),
        pytest.param(
            ["$defs", "Recipient", "properties", "phone"], None, "phone: field is gone", id="nested"
        ),
    ],
)
def test_breaking_change_is_named(path: list[str], value: object, told: str) -> None:
    found = breaking_changes(schema_of(SEND_REQUESTED), _changed(path, value))
    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param({"type": "object"}, {"$ref": "#/$defs/Shape"}, [], id="a shape for any object"),
        pytest.param({"type": "object"}, {"type": "string"}, ["one: type changed"], id="a text for one"),
        pytest.param(
            {"items": {"type": "object"}, "type": "array"},
            {"items": {"$ref": "#/$defs/Shape"}, "type": "array"},
            [],
            id="a shape inside",
        ),
        pytest.param(
            {"items": {"type": "object"}, "type": "array"},
            {"items": {"type": "string"}, "type": "array"},
            ["one: type changed"],
            id="a text inside",
        ),
        pytest.param({"$ref": "#/$defs/Shape"}, {"$ref": "#/$defs/Grown"}, [], id="a shape with more"),
        pytest.param(
            {"$ref": "#/$defs/Grown"}, {"$ref": "#/$defs/Shape"}, ["one.more: field is gone"], id="with less"
        ),
        pytest.param(
            {"$ref": "#/$defs/Shape"}, {"type": "object"}, ["one.size: field is gone"], id="no shape any more"
        ),
    ],
)
def test_shape_may_be_said_more_closely_and_nothing_else(
    old: dict[str, Any], new: dict[str, Any], told: list[str]
) -> None:
    size, more = {"size": {"type": "integer"}}, {"more": {"type": "string"}}
    shapes = {
        "Shape": {"type": "object", "properties": size},
        "Grown": {"type": "object", "properties": size | more},
    }
    before, after = (
        {"type": "object", "$defs": shapes, "properties": {"one": schema}} for schema in (old, new)
    )
    assert breaking_changes(before, after) == told


def test_new_optional_field_breaks_nothing() -> None:
    grown = _changed(["properties", "tomorrow"], {"type": "string"})
    assert breaking_changes(schema_of(SEND_REQUESTED), grown) == []
