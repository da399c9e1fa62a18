"""What the platform will surely refuse is no content of the contract: at each limit, and for each kind."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from garbo.common.contracts.examples import examples
from garbo.common.errors import Reject
from garbo.common.events.content import Content
from garbo.common.events.faults import advice_of
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import SEND_REQUESTED
from garbo.common.events.wire import decode, encode
from libs.common.tests.support.contents import GOOD, Json, Path, changed
from libs.common.tests.support.wrong_contents import BLANKS, LIMITS, ODD_VALUES, WRONG, T

READ: TypeAdapter[Any] = TypeAdapter(Content)
REQUEST = next(orjson.loads(encode(e)) for e in examples() if isinstance(e, SendRequested))
VALUES = ("content", *T, 1, "parameters")
TEXTS = [(name, path) for name, path, _ in LIMITS]


def named(content: Json) -> list[Path]:
    """Give the places of the faults of a content, as both doors name them."""
    with pytest.raises(ValidationError) as caught:
        SendRequested.model_validate(REQUEST | {"content": content}, extra="forbid")
    return [place for place, _ in advice_of(caught.value)]


@pytest.mark.parametrize("name", GOOD)
def test_good_content_is_taken_and_goes_on_as_it_came(name: str) -> None:
    request = SendRequested.model_validate(REQUEST | {"content": GOOD[name]}, extra="forbid")
    again = decode(SEND_REQUESTED, encode(request))
    assert again.content == request.content
    said = orjson.loads(encode(again))["content"]
    assert changed(said, ("type",), GOOD[name]["type"]).items() >= GOOD[name].items() or name == "text"


@pytest.mark.parametrize("sign", ["x", "è", "😀"], ids=["letter", "accent", "beyond 16 bits"])
@pytest.mark.parametrize(("name", "path", "most"), LIMITS, ids=[f"{n}-{p[-1]}-{m}" for n, p, m in LIMITS])
def test_limit_counts_characters_and_holds_to_the_last_one(
    name: str, path: Path, most: int, sign: str
) -> None:
    READ.validate_python(changed(GOOD[name], path, sign * most))
    places = named(changed(GOOD[name], path, sign * (most + 1)))
    assert places == [("content", *path)]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
@pytest.mark.parametrize(("name", "path"), TEXTS, ids=[f"{n}-{p[-1]}" for n, p in TEXTS])
def test_text_that_shows_nothing_is_refused(name: str, path: Path, blank: str) -> None:
    assert named(changed(GOOD[name], path, blank)) == [("content", *path)]


@given(st.text(alphabet=st.sampled_from("".join(BLANKS)), max_size=20), st.sampled_from("aé😀字.0"))
def test_one_sign_among_blanks_is_enough(blanks: str, sign: str) -> None:
    READ.validate_python(changed(GOOD["text"], ("text", "body"), blanks + sign + blanks))


@pytest.mark.parametrize("value", ODD_VALUES, ids=ascii)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["header", "body", "button"])
def test_parameter_stands_on_one_line_with_four_spaces_in_a_row_at_most(place: int, value: str) -> None:
    path = (*T, place, "parameters", 0, "text")
    assert named(changed(GOOD["template"], path, value)) == [("content", *path)]
    READ.validate_python(changed(GOOD["template"], path, "a    b    c"))


@pytest.mark.parametrize("kind", ["currency", "date_time"])
def test_value_that_is_written_for_an_amount_or_an_instant_is_a_parameter_too(kind: str) -> None:
    amount = {"fallback_value": "a\nb", "code": "EUR", "amount_1000": 7}
    path = (*T, 1, "parameters", 0)
    places = named(changed(GOOD["template"], path, {"type": kind, kind: amount}))
    assert places == [("content", *path, kind, "fallback_value")]


def test_parameters_of_a_body_have_their_limit_together() -> None:
    values = [{"type": "text", "text": "x" * 512}, {"type": "text", "text": "x" * 512}]
    READ.validate_python(changed(GOOD["template"], (*T, 1, "parameters"), values))
    more = [*values, {"type": "text", "text": "x"}]
    assert named(changed(GOOD["template"], (*T, 1, "parameters"), more)) == [(*VALUES, 2, "text")]


@pytest.mark.parametrize(
    ("name", "path", "value", "place"),
    WRONG,
    ids=[f"{n}-{p[-1]}-{i}" for i, (n, p, _, _) in enumerate(WRONG)],
)
def test_what_is_surely_refused_is_named(name: str, path: Path, value: object, place: Path) -> None:
    wrong = changed(GOOD[name], path, value)
    assert named(wrong) == [("content", *place)]
    with pytest.raises(Reject, match=r"invalid:content\."):
        decode(SEND_REQUESTED, orjson.dumps(REQUEST | {"content": wrong}))


@pytest.mark.parametrize("name", ["template", "buttons", "location", "reaction"])
def test_what_the_platform_adds_to_its_objects_goes_on(name: str) -> None:
    block = GOOD[name]["type"]
    inner = GOOD[name][block]["components"][0] if name == "template" else GOOD[name][block]
    path = (block, "components", 0) if name == "template" else (block,)
    grown = changed(GOOD[name], path, inner | {"tomorrow": {"new": [1]}, "absent": None})
    request = SendRequested.model_validate(REQUEST | {"content": grown}, extra="forbid")
    assert b'"tomorrow":{"new":[1]}' in encode(request)
    assert b"absent" not in encode(request)
