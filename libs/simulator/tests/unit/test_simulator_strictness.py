"""The simulated platform refuses what the real one refuses, with its codes: else no test could see it."""

from typing import Final

import orjson
import pytest
from pydantic import ValidationError

from garbo.common.contracts.examples import examples
from garbo.common.events.requests import SendRequested
from garbo.common.events.wire import encode
from garbo.simulator.assets.templates import Template
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.errors import GraphError
from garbo.simulator.graph.requests import Send, read_request
from libs.common.tests.support.contents import GONE, GOOD, Json, Path, changed, oddly_changed
from libs.common.tests.support.platform_description import platform_schemas, validator
from libs.common.tests.support.wrong_contents import BLANKS, LIMITS, ODD_VALUES, WRONG, T

NUMBER = SendingNumber(id="1001", display="+39 02 1234 5678", waba="9001", token="t", rate_per_s=80)
ACCOUNTS = Accounts(numbers=[NUMBER], templates=[Template("order_shipped", "it", "UTILITY", 1)])
TO = {"messaging_product": "whatsapp", "to": "+393331234567"}
TEXT = (*T, 1, "parameters", 0, "text")
TOO_LONG = {"template": 132005, "text": 100, "template_reply": 132012, "template_coupon": 132012}
"""The code for a text that is too long, where it is not 131009."""


def answer(content: Json) -> Send | GraphError:
    asked = read_request(TO | content, NUMBER, ACCOUNTS)
    assert isinstance(asked, Send | GraphError)
    return asked


def code(content: Json) -> int:
    refused = answer(content)
    assert isinstance(refused, GraphError), "it was taken"
    assert refused.body().startswith(f'{{"error":{{"message":"(#{refused.code}) '.encode())
    return refused.code


@pytest.mark.parametrize("name", GOOD)
def test_good_content_is_taken(name: str) -> None:
    assert isinstance(answer(GOOD[name]), Send)


@pytest.mark.parametrize(("name", "path", "most"), LIMITS, ids=[f"{n}-{p[-1]}-{m}" for n, p, m in LIMITS])
def test_limit_holds_to_the_last_character(name: str, path: Path, most: int) -> None:
    assert isinstance(answer(changed(GOOD[name], path, "x" * most)), Send)
    too_long = TOO_LONG.get(name, 131009)
    assert code(changed(GOOD[name], path, "x" * (most + 1))) == too_long


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
@pytest.mark.parametrize(("name", "path"), [(n, p) for n, p, _ in LIMITS])
def test_text_that_shows_nothing_is_refused(name: str, path: Path, blank: str) -> None:
    assert code(changed(GOOD[name], path, blank)) == (100 if name == "text" else 131008)


@pytest.mark.parametrize("value", ODD_VALUES, ids=ascii)
def test_parameter_stands_on_one_line(value: str) -> None:
    assert code(changed(GOOD["template"], TEXT, value)) == 132018
    assert isinstance(answer(changed(GOOD["template"], TEXT, "a    b")), Send)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [pytest.param(*w[:3], id=f"{i}-{w[0]}-{w[1][-1]}") for i, w in enumerate(WRONG)],
)
def test_what_the_contract_refuses_is_refused(name: str, path: Path, value: object) -> None:
    allowed = (100, 131008, 131009, 132000, 132005, 132012, 132018)
    assert code(changed(GOOD[name], path, value)) in allowed


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        pytest.param((*T, 1), {"type": "body", "parameters": []}, 132000, id="too few"),
        pytest.param((*T, 1, "parameters", 1), {"type": "text", "text": "b"}, 132000, id="too many"),
        pytest.param((*T, 1, "parameters"), "Ada", 132012, id="no array"),
        pytest.param((*T, 1, "parameters", 0), "Ada", 132012, id="no object"),
        pytest.param((*T, 1, "parameters", 0, "type"), GONE, 132012, id="no type"),
        pytest.param((*T, 1, "parameters", 0, "text"), 7, 132012, id="number"),
        pytest.param((*T, 1, "parameters", 0, "text"), "", 131008, id="empty"),
        pytest.param((*T, 1, "type"), "verse", 132012, id="unknown component"),
    ],
)
def test_fault_of_a_template_has_its_own_code(path: Path, value: object, expected: int) -> None:
    assert code(changed(GOOD["template"], path, value)) == expected


USER = {"messaging_product": "whatsapp", "recipient": "IT.13491208655302741918"}
CODES = Accounts(numbers=[NUMBER], templates=[Template("order_shipped", "it", "AUTHENTICATION", 1)])


@pytest.mark.parametrize(
    ("to", "text", "expected"),
    [
        pytest.param(TO, "7" * 15, None, id="a password"),
        pytest.param(TO, "7" * 16, 132018, id="too long for one"),
        pytest.param(USER, "7" * 6, 131062, id="by user id"),
    ],
)
def test_password_is_short_and_goes_to_a_phone_number(to: Json, text: str, expected: int | None) -> None:
    content = changed(GOOD["template_named"], (*T, 0, "parameters", 0, "text"), text)
    asked = read_request(to | content, NUMBER, CODES)
    assert (asked.code if isinstance(asked, GraphError) else None) == expected


@pytest.mark.parametrize(
    ("typing", "expected"),
    [({"type": "text"}, None), ({"type": "voice"}, 131009), ({}, 131009), (True, 131009)],
)
def test_typing_is_shown_as_text_alone(typing: object, expected: int | None) -> None:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    asked = read_request(mark | {"typing_indicator": typing}, NUMBER, ACCOUNTS)
    assert (asked.code if isinstance(asked, GraphError) else None) == expected


@pytest.mark.parametrize("name", GOOD)
def test_door_and_platform_refuse_the_same(name: str) -> None:
    """But for what only the platform knows: how many values a template takes, and its newest components."""
    taken, refused = 0, 0
    for content in oddly_changed(GOOD[name]):
        written = at_the_door(content)
        answered = answer(content if written is None else written)
        if isinstance(answered, GraphError) and written is not None:
            assert answered.code == 132000 or answered.details.startswith(NEWEST), (content, answered.details)
        else:
            assert isinstance(answered, Send) is (written is not None), content
        taken, refused = taken + (written is not None), refused + (written is None)
    assert taken
    assert refused


NEWEST: Final = "A component needs a known type"
ASKED: Final = next(orjson.loads(encode(e)) for e in examples() if isinstance(e, SendRequested))


def at_the_door(content: Json) -> Json | None:
    """Give a content as it is sent after the door took it; None where it refuses it."""
    try:
        event = SendRequested.model_validate(ASKED | {"content": content}, extra="forbid")
    except ValidationError:
        return None
    written: Json = orjson.loads(encode(event))["content"]
    return written


SCHEMAS: Final = {
    "interactive": "InteractiveObject",
    "contacts": "ContactsMessage/allOf/1/properties/contacts",
    "sticker": "StickerMessage/allOf/1/properties/sticker",
    "reaction": "ReactionMessage/allOf/1/properties/reaction",
}
"""What of the description can be used. As a whole it refuses every message there is (`allOf` of two objects
that each forbid the other's fields); it wants places as texts, and templates with a policy that is gone."""
NEWER: Final = {
    *("link", "carousel", "pressed_carousel", "product_carousel", "location_request", "contact_request"),
}
"""Good contents younger than the description."""
WIDER: Final = {"catalog_message"}
"""Types of which it wants more than the platform's page, by which the catalog's picture may be left out."""


@pytest.fixture(scope="module")
def schemas() -> Json:
    return platform_schemas()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_the_platforms_own_description_refuses_is_refused(schemas: Json, kind: str) -> None:
    check = validator(schemas, SCHEMAS[kind])
    mine = [name for name, content in GOOD.items() if content["type"] == kind and name not in NEWER]
    assert [name for name in mine if not check.is_valid(GOOD[name][kind])] == []
    changes = [(n, p, v) for n, p, v, _ in WRONG] + [(n, p, "x" * (most + 1)) for n, p, most in LIMITS]
    tried = [changed(GOOD[n], p, v) for n, p, v in changes if n in mine]
    tried += [odd for name in mine for odd in oddly_changed(GOOD[name])]
    refused = [content for content in tried if not check.is_valid(content[kind])]
    assert refused
    taken = [content for content in refused if isinstance(answer(content), Send)]
    of = {content[kind]["type"] if kind == "interactive" else kind for content in taken}
    assert of == (WIDER if kind == "interactive" else set()), taken
