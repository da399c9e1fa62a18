"""The simulated platform refuses what the real one refuses, with its codes: else no test could see it."""

from pathlib import Path as FilePath
from typing import Any, Final

import jsonschema
import pytest
import yaml

from garbo.simulator.graph.accounts import Accounts, SendingNumber, Template
from garbo.simulator.graph.errors import GraphError
from garbo.simulator.graph.requests import Send, read_request
from libs.common.tests.support.contents import (
    BLANKS,
    GONE,
    GOOD,
    LIMITS,
    ODD_VALUES,
    WRONG,
    Json,
    Path,
    T,
    changed,
)

NUMBER = SendingNumber(id="1001", display="+39 02 1234 5678", waba="9001", token="t", rate_per_s=80)
ACCOUNTS = Accounts(numbers=[NUMBER], templates=[Template("order_shipped", "it", "UTILITY", 1)])
TO = {"messaging_product": "whatsapp", "to": "+393331234567"}
DESCRIPTION = FilePath(__file__).parents[5] / "shared/reference/whatsapp-business-messaging-openapi-v23.yaml"
TEXT = (*T, 1, "parameters", 0, "text")


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
    too_long = {"template": 132005, "text": 100}.get(name, 131009)
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


SCHEMAS: Final = {
    "interactive": "InteractiveObject",
    "contacts": "ContactsMessage/allOf/1/properties/contacts",
    "sticker": "StickerMessage/allOf/1/properties/sticker",
    "reaction": "ReactionMessage/allOf/1/properties/reaction",
}
"""What of the description can be used. As a whole it refuses every message there is (`allOf` of two objects
that each forbid the other's fields); it wants places as texts, and templates with a policy that is gone."""
NEWER: Final = {"link"}
"""Good contents younger than the description."""


@pytest.fixture(scope="session")
def description() -> Any:  # noqa: ANN401 - YAML
    if not DESCRIPTION.exists():
        pytest.skip(f"the platform's description is not beside this repository: {DESCRIPTION.name}")
    return yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_the_platforms_own_description_refuses_is_refused(description: Any, kind: str) -> None:  # noqa: ANN401
    ref = {"$ref": f"#/components/schemas/{SCHEMAS[kind]}", "components": description["components"]}
    check = jsonschema.Draft202012Validator(ref)
    mine = [name for name, content in GOOD.items() if content["type"] == kind and name not in NEWER]
    assert [name for name in mine if not check.is_valid(GOOD[name][kind])] == []
    changes = [(n, p, v) for n, p, v, _ in WRONG] + [(n, p, "x" * (most + 1)) for n, p, most in LIMITS]
    changes += [
        (name, (kind, *p), value) for name in mine for p in _places(GOOD[name][kind]) for value in ODD
    ]
    tried = [changed(GOOD[n], p, v) for n, p, v in changes if n in mine]
    refused = [content for content in tried if not check.is_valid(content[kind])]
    assert refused
    assert [content for content in refused if isinstance(answer(content), Send)] == []


ODD: Final[tuple[object, ...]] = (GONE, 7, "", "x" * 5000, [], {}, True)


def _places(value: object, at: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [place for key, one in value.items() for place in [(*at, key), *_places(one, (*at, key))]]
    if isinstance(value, list):
        return [place for n, one in enumerate(value) for place in [(*at, n), *_places(one, (*at, n))]]
    return []
