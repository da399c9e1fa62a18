"""Every kind of content: its schema leaves out nothing that is taken, and what is not known here goes on."""

from typing import Any

import jsonschema
import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from garbo.common.contracts.examples import examples
from garbo.common.contracts.schemas import schema_of
from garbo.common.events.content import Content
from garbo.common.events.faults import advice_of
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.events.wire import encode
from libs.common.tests.support.contents import GOOD, Json, Path, changed, interactive, oddly_changed, template

READ: TypeAdapter[Any] = TypeAdapter(Content)
SCHEMA = schema_of(SEND_REQUESTED)
DESCRIBED = jsonschema.Draft202012Validator(SCHEMA["properties"]["content"] | {"$defs": SCHEMA["$defs"]})
ASKED = next(orjson.loads(encode(e)) for e in examples() if isinstance(e, SendRequested))


def is_taken(content: Json) -> bool:
    try:
        READ.validate_python(content)
    except ValidationError:
        return False
    return True


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case dict():
            return {key: without_nulls(one) for key, one in value.items() if one is not None}
        case list():
            return [without_nulls(one) for one in value]
        case _:
            return value


@pytest.mark.parametrize("name", GOOD)
def test_schema_describes_each_kind_and_leaves_out_nothing_that_is_taken(name: str) -> None:
    changes = oddly_changed(GOOD[name])
    taken = [without_nulls(one) for one in (GOOD[name], *changes) if is_taken(one)]
    assert [one for one in taken if not DESCRIBED.is_valid(one)] == []
    assert any(not DESCRIBED.is_valid(one) for one in changes), "the schema shows no shape"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            interactive("address_message", {"name": "x", "parameters": {"country": "IN"}}), id="type"
        ),
        pytest.param(template({"type": "order_status", "parameters": [{"type": "order_status"}]}), id="part"),
        pytest.param(
            template({"type": "body", "parameters": [{"type": "tax", "tax": {"rate": 22}}]}), id="value"
        ),
        pytest.param(
            template(
                {
                    "type": "button",
                    "sub_type": "voice_call",
                    "index": "0",
                    "parameters": [{"type": "ttl_minutes", "ttl_minutes": 100}],
                }
            ),
            id="button",
        ),
    ],
)
def test_kind_that_is_not_known_goes_on_as_it_is(content: Json) -> None:
    assert DESCRIBED.is_valid(content)
    request = SendRequested.model_validate(ASKED | {"content": content}, extra="forbid")
    assert orjson.loads(encode(request))["content"] == content


@pytest.mark.parametrize("name", [name for name in GOOD if name.startswith("template")])
def test_words_of_a_template_may_be_written_large(name: str) -> None:
    loud = orjson.loads(orjson.dumps(GOOD[name]))
    for component in loud["template"]["components"]:
        component["type"] = component["type"].upper()
        for value in component.get("parameters", ()):
            value["type"] = value["type"].upper()
    assert is_taken(loud)
    assert DESCRIBED.is_valid(loud)


def test_flow_is_begun_with_null_where_the_business_says_null() -> None:
    action = {"flow_token": "t", "flow_action_data": {"chosen": None}}
    path = ("template", "components", 1, "parameters", 0, "action")
    read = READ.validate_python(changed(GOOD["template_flow"], path, action))
    assert read.template.components[1]["parameters"][0]["action"]["flow_action_data"] == {"chosen": None}


def asked_of_a_group(content: Json, **more: object) -> list[Path]:
    asked = ASKED | {"to": {"group_id": "g1"}, "content": content} | more
    try:
        SendRequested.model_validate(asked, extra="forbid")
    except ValidationError as error:
        return [place for place, _ in advice_of(error)]
    return []


@pytest.mark.parametrize("name", GOOD)
def test_group_takes_neither_interactive_messages_nor_what_is_for_sale(name: str) -> None:
    content = GOOD[name]
    selling: dict[str, Path] = {
        "template_catalog": ("template", "components", 1, "sub_type"),
        "template_products": ("template", "components", 1, "sub_type"),
        "template_product": ("template", "components", 0, "parameters", 0),
    }
    refused = ("interactive",) if content["type"] == "interactive" else selling.get(name)
    assert asked_of_a_group(content) == ([("content", *refused)] if refused else [])


def test_group_takes_no_fallback_that_sells() -> None:
    fallback = {"template": GOOD["template_catalog"]["template"]}
    assert asked_of_a_group(GOOD["text"], fallback=fallback) == [
        ("fallback", "template", "components", 1, "sub_type")
    ]
