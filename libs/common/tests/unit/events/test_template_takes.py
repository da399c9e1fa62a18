"""What a template takes, compared with what a message gives: every misfit is named with what to do."""

from collections.abc import Sequence
from typing import Any

import pytest

from garbo.common.events.template_takes import ButtonTakes, CardTakes, Takes, faults_of

Components = Sequence[dict[str, Any]]


def words(*values: str, **more: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": value, **more} for value in values]


def body(*values: str) -> dict[str, Any]:
    return {"type": "body", "parameters": words(*values)}


def button(index: int | str, sub_type: str = "url") -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": words("x")}


def header(kind: str, count: int = 1) -> dict[str, Any]:
    return {"type": "header", "parameters": [{"type": kind, kind: {"id": "1"}}] * count}


def carousel(*cards: Components) -> dict[str, Any]:
    return {"type": "carousel", "cards": [{"card_index": n, "components": c} for n, c in enumerate(cards)]}


NAMED = Takes(named=True, body_values=("first", "order"))
BY_NAME = {
    "type": "body",
    "parameters": [*words("A", parameter_name="order"), *words("B", parameter_name="first")],
}
LINK = ButtonTakes(kind="URL", needs_value=True)
BUTTONS = Takes(buttons=(ButtonTakes(kind="QUICK_REPLY"), LINK, ButtonTakes(kind="PHONE_NUMBER")))
CARD = CardTakes(header="IMAGE", body_values=("1",))
CARDS = Takes(body_values=("1",), cards=(CARD, CARD))
GIVEN_CARD = [header("image"), body("x")]


@pytest.mark.parametrize(
    ("takes", "given"),
    [
        pytest.param(Takes(), [], id="nothing"),
        pytest.param(Takes(), [body()], id="an empty body"),
        pytest.param(Takes(body_values=("1", "2")), [body("a", "b")], id="body"),
        pytest.param(Takes(body_values=("1",)), [{"type": "BODY", "parameters": words("a")}], id="capitals"),
        pytest.param(NAMED, [BY_NAME], id="by name, in any order"),
        pytest.param(Takes(header="TEXT"), [], id="a text header that is fixed"),
        pytest.param(Takes(header="DOCUMENT"), [header("document")], id="header"),
        pytest.param(Takes(header="TOMORROW"), [header("tomorrow", 3)], id="a header nobody knows"),
        pytest.param(BUTTONS, [button(1)], id="a link's end"),
        pytest.param(BUTTONS, [button("1"), button(0, "QUICK_REPLY")], id="a payload as well"),
        pytest.param(CARDS, [body("a"), carousel(GIVEN_CARD, GIVEN_CARD)], id="carousel"),
        pytest.param(Takes(offer_ends=True), [{"type": "limited_time_offer", "parameters": []}], id="offer"),
    ],
)
def test_what_fits_is_not_refused(takes: Takes, given: Components) -> None:
    assert faults_of(given, takes) == []


@pytest.mark.parametrize(
    ("takes", "given", "place", "advice", "reason"),
    [
        pytest.param(
            Takes(body_values=("1", "2")),
            [header("image", 0), body("a")],
            ("components", 1, "parameters"),
            "must give the body 2 parameters, not 1",
            "parameter_count",
            id="too few",
        ),
        pytest.param(
            NAMED,
            [],
            ("components",),
            "must give the body 2 parameters (first, order), not 0",
            "parameter_count",
            id="none of the named",
        ),
        pytest.param(
            NAMED,
            [body("a", "b")],
            ("components", 0, "parameters"),
            "must name each parameter (parameter_name): first, order",
            "template_parameters",
            id="in order instead of by name",
        ),
        pytest.param(
            Takes(body_values=("1", "2")),
            [BY_NAME],
            ("components", 0, "parameters"),
            "must not name its parameters",
            "template_parameters",
            id="by name instead of in order",
        ),
        pytest.param(
            Takes(header="IMAGE"),
            [],
            ("components",),
            "must hold a component of type header with one parameter of type image",
            "template_parameters",
            id="no picture",
        ),
        pytest.param(
            Takes(header="IMAGE"),
            [header("video")],
            ("components", 0, "parameters"),
            "must give the header one parameter of type image",
            "template_parameters",
            id="a film for a picture",
        ),
        pytest.param(
            Takes(),
            [header("image")],
            ("components", 0, "parameters"),
            "must give the header 0 parameters, not 1",
            "parameter_count",
            id="a header it has not",
        ),
        pytest.param(
            BUTTONS,
            [],
            ("components",),
            "must hold a component of type button with sub_type url, index 1",
            "template_parameters",
            id="no end of a link",
        ),
        pytest.param(
            BUTTONS,
            [button(1), button(2)],
            ("components", 1),
            "must be left out: button 2 takes no parameter",
            "template_parameters",
            id="a button that takes none",
        ),
        pytest.param(
            BUTTONS,
            [button(1, "quick_reply")],
            ("components", 0, "sub_type"),
            "must be url: so button 1 is",
            "template_parameters",
            id="another kind of button",
        ),
        pytest.param(
            BUTTONS,
            [button(1), button(7)],
            ("components", 1, "index"),
            "must be of a button the template has: 0 to 2",
            "template_parameters",
            id="a button too many",
        ),
        pytest.param(
            CARDS,
            [body("a"), carousel(GIVEN_CARD)],
            ("components", 1, "cards"),
            "must hold 2 cards in a component of type carousel, not 1",
            "template_parameters",
            id="a card too few",
        ),
        pytest.param(
            CARDS,
            [body("a"), carousel(GIVEN_CARD, [header("image")])],
            ("components", 1, "cards", 1, "components"),
            "must give the body 1 parameters, not 0",
            "parameter_count",
            id="inside a card",
        ),
        pytest.param(
            Takes(offer_ends=True),
            [],
            ("components",),
            "must hold a component of type limited_time_offer with the offer's end",
            "template_parameters",
            id="no end of an offer",
        ),
    ],
)
def test_misfit_is_named_with_what_to_do(
    takes: Takes, given: Components, place: tuple[str | int, ...], advice: str, reason: str
) -> None:
    (fault,) = faults_of(given, takes)
    assert (fault.place, fault.reason) == (place, reason)
    assert advice in fault.advice


@pytest.mark.parametrize(
    "given",
    [
        [{"type": "body", "parameters": "no list"}],
        [{"type": "body", "parameters": ["x", None]}],
        [{"type": "button", "index": None}],
        [{"type": "carousel", "cards": [1, {"components": "no"}]}],
        [{}],
    ],
    ids=str,
)
def test_json_of_any_shape_raises_nothing(given: Components) -> None:
    for takes in (Takes(), NAMED, BUTTONS, CARDS, Takes(header="IMAGE", offer_ends=True)):
        faults_of(given, takes)
