"""What the Graph API takes and refuses."""

from typing import Any

import orjson
import pytest

from garbo.simulator.assets.templates import Template
from garbo.simulator.graph.accounts import Accounts, RateWindow, SendingNumber
from garbo.simulator.graph.errors import GraphError, graph_error, unknown_object
from garbo.simulator.graph.files import files_of
from garbo.simulator.graph.requests import MarkRead, Send, read_request
from libs.common.tests.support.contents import GOOD

NUMBER = SendingNumber(id="1001", display="+39 02 1234 5678", waba="9001", token="t", rate_per_s=80)
ACCOUNTS = Accounts(
    numbers=[NUMBER],
    templates=[Template("sale", "en_US", "MARKETING", 1), Template("plain", "it", "UTILITY", 0)],
)
PHONE = {"messaging_product": "whatsapp", "to": "+393331234567"}
TEXT = {"type": "text", "text": {"body": "hello"}}
SALE = {
    "type": "template",
    "template": {
        "name": "sale",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "x"}]}],
    },
}


def sale(**changes: object) -> dict[str, Any]:
    return PHONE | SALE | {"template": SALE["template"] | changes}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("body", "recipient", "kind", "category"),
    [
        pytest.param(PHONE | TEXT, "+393331234567", "text", "service", id="text-to-phone"),
        pytest.param(PHONE | SALE, "+393331234567", "template", "marketing", id="template"),
        pytest.param(
            sale(language={"code": "en-us"}), "+393331234567", "template", "marketing", id="language-spelling"
        ),
        pytest.param(
            {"messaging_product": "whatsapp", "recipient": "IT.123", **TEXT},
            "IT.123",
            "text",
            "service",
            id="bsuid",
        ),
        pytest.param(
            PHONE | {"type": "image", "image": {"link": "https://example.com/a.png"}},
            "+393331234567",
            "image",
            "service",
            id="image-by-link",
        ),
        pytest.param(
            PHONE | GOOD["buttons"],
            "+393331234567",
            "interactive",
            "service",
            id="interactive",
        ),
        pytest.param(
            PHONE | {"type": "template", "template": {"name": "plain", "language": {"code": "it"}}},
            "+393331234567",
            "template",
            "utility",
            id="template-without-parameters",
        ),
    ],
)
def test_a_good_message_is_read(body: dict[str, Any], recipient: str, kind: str, category: str) -> None:
    asked = read_request(body, NUMBER, ACCOUNTS)
    assert isinstance(asked, Send)
    assert (asked.recipient, asked.type, asked.category) == (recipient, kind, category)


@pytest.mark.parametrize(
    ("body", "code", "http_status"),
    [
        pytest.param([], 100, 400, id="not-an-object"),
        pytest.param(TEXT | {"to": "+393331234567"}, 100, 400, id="no-messaging-product"),
        pytest.param({"messaging_product": "whatsapp", **TEXT}, 100, 400, id="no-recipient"),
        pytest.param(PHONE | {"recipient": "IT.1"} | TEXT, 100, 400, id="both-recipients"),
        pytest.param(PHONE | {"to": "393331234567"} | TEXT, 100, 400, id="phone-without-plus"),
        pytest.param(PHONE | {"to": "+39abc"} | TEXT, 100, 400, id="phone-with-letters"),
        pytest.param(
            {"messaging_product": "whatsapp", "recipient": "x", **TEXT}, 131009, 400, id="bad-bsuid"
        ),
        pytest.param(PHONE | {"to": "+390212345678"} | TEXT, 131021, 400, id="to-itself"),
        pytest.param(PHONE | {"type": "hologram", "hologram": {}}, 131051, 400, id="unknown-type"),
        pytest.param(PHONE | {"type": "text"}, 131008, 400, id="block-missing"),
        pytest.param(PHONE | {"type": "text", "text": {"body": " "}}, 100, 400, id="empty-text"),
        pytest.param(PHONE | {"type": "text", "text": {"body": "x" * 4097}}, 100, 400, id="long-text"),
        pytest.param(PHONE | {"type": "image", "image": {"caption": "x"}}, 100, 400, id="image-of-nothing"),
        pytest.param(
            PHONE | TEXT | {"biz_opaque_callback_data": "x" * 513}, 100, 400, id="long-callback-data"
        ),
        pytest.param(sale(name="unknown"), 132001, 404, id="unknown-template"),
        pytest.param(sale(language={"code": "fr"}), 132001, 404, id="template-in-another-language"),
        pytest.param(sale(components=[]), 132000, 400, id="too-few-parameters"),
        pytest.param(sale(components="x"), 132012, 400, id="components-not-a-list"),
        pytest.param(sale(language="en"), 131008, 400, id="language-not-an-object"),
        pytest.param(
            {"messaging_product": "whatsapp", "status": "read", "message_id": "x"}, 131009, 400, id="bad-read"
        ),
    ],
)
def test_a_bad_message_gets_its_error(body: object, code: int, http_status: int) -> None:
    refused = read_request(body, NUMBER, ACCOUNTS)
    assert isinstance(refused, GraphError)
    assert (refused.code, refused.http_status) == (code, http_status)


def test_a_read_mark_is_no_message() -> None:
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    assert read_request(body, NUMBER, ACCOUNTS) == MarkRead("wamid.x")


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("text", []),
        ("image", [("image", None)]),
        ("audio", [("audio", "77")]),
        ("template_document", [("document", "77")]),
    ],
)
def test_files_are_found_wherever_they_stand(name: str, files: list[tuple[str, str | None]]) -> None:
    content = GOOD[name]
    assert [(file.kind, file.id) for file in files_of(content["type"], content)] == files
    cards = [{"header": {"type": "image", "image": {"id": "1"}}}, {"header": {"video": {"link": "x"}}}]
    found = files_of("interactive", {"interactive": {"action": {"cards": cards}}})
    assert [(file.kind, file.id) for file in found] == [("image", "1"), ("video", None)]


def test_an_error_has_the_documented_shape() -> None:
    error = orjson.loads(graph_error(130429).body())["error"]
    assert error.pop("fbtrace_id").startswith("A")
    assert error == {
        "message": "(#130429) Rate limit hit",
        "type": "OAuthException",
        "code": 130429,
        "error_data": {
            "messaging_product": "whatsapp",
            "details": "Cloud API message throughput has been reached.",
        },
    }


def test_an_unknown_number_is_code_100_with_subcode_33() -> None:
    error = orjson.loads(unknown_object("1").body())["error"]
    assert (error["code"], error["error_subcode"], error["type"]) == (100, 33, "GraphMethodException")
    assert "Object with ID '1' does not exist" in error["message"]


def test_the_rate_holds_over_any_sliding_second() -> None:
    window = RateWindow(3)
    assert [window.take(at) for at in (0, 1, 900_000_000, 999_999_999)] == [True, True, True, False]
    assert window.take(1_000_000_000)
    assert not window.take(1_000_000_000)


def test_incoming_messages_use_the_same_rate() -> None:
    window = RateWindow(2)
    window.note(0)
    assert window.take(1)
    assert not window.take(2)
