"""Each body that is sent, for each kind of content and recipient, by the platform's own description."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import TypeAdapter

from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Content
from garbo.common.events.ids import attempt_id_of, message_id_of
from garbo.common.events.reads import ReadRequested
from garbo.sender.outbound.whatsapp_body import body_of, draft_of
from garbo.sender.outbound.whatsapp_reads import read_body_of
from libs.common.tests.support.contents import GOOD, Json, template
from libs.common.tests.support.platform_description import platform_schemas, validator
from services.sender.tests.support.amendments import AMENDMENTS
from services.sender.tests.support.builders import a_grant

READ: TypeAdapter[Any] = TypeAdapter(Content)
RECIPIENTS = {
    "phone": Recipient(phone="+393331234567"),
    "user_id": Recipient(user_id="IT.13491208655302741918"),
    "group_id": Recipient(group_id="Y2FwaV9ncm91cDox"),
}
ADDRESSED = {
    "phone": {"recipient_type": "individual", "to": "+393331234567"},
    "user_id": {"recipient_type": "individual", "recipient": "IT.13491208655302741918"},
    "group_id": {"recipient_type": "group", "to": "Y2FwaV9ncm91cDox"},
}
READ_MARK = ReadRequested(
    client="desk", number="100", message_id="wamid.x", requested_at=datetime(2026, 6, 5, tzinfo=UTC)
)
ATTEMPT = attempt_id_of(message_id_of("shop", UUID(int=1)), 1)


def body(name: str, to: str = "phone", *, reply_to: str | None = None) -> Json:
    grant = a_grant(to=RECIPIENTS[to]).model_copy(
        update={"content": READ.validate_python(GOOD[name]), "reply_to": reply_to}
    )
    written: Json = orjson.loads(body_of(draft_of(grant).body, attempt_id=ATTEMPT))
    return written


BODIES = {
    (name, to, reply): body(name, to, reply_to=reply)
    for name in GOOD
    for to in RECIPIENTS
    for reply in (None, "wamid.x")
}


@pytest.fixture(scope="module")
def schemas() -> Json:
    return platform_schemas()


@pytest.mark.parametrize("to", RECIPIENTS)
@pytest.mark.parametrize("name", GOOD)
def test_body_holds_the_content_as_it_was_asked_for_and_the_attempt(name: str, to: str) -> None:
    said = body(name, to, reply_to="wamid.x")
    content = {field: said.pop(field) for field in GOOD[name]}
    assert content == GOOD[name] | (
        {"text": {"preview_url": False, **GOOD[name]["text"]}} if "text" in content else {}
    )
    assert said == {
        "messaging_product": "whatsapp",
        "context": {"message_id": "wamid.x"},
        "biz_opaque_callback_data": ATTEMPT,
        **ADDRESSED[to],
    }


MARKETED = {of: said for of, said in BODIES.items() if said["type"] == "template" and of[1] != "group_id"}
ENDPOINTS = {"Message": BODIES, "MarketingMessageRequestPayload": MARKETED}
"""The schema of each endpoint, and what goes there: to marketing_messages only templates, and to no group."""


@pytest.mark.parametrize("schema", ENDPOINTS)
def test_every_body_fits_the_platforms_own_description(schemas: Json, schema: str) -> None:
    check = validator(schemas, schema, AMENDMENTS.values())
    faults = {
        of: [fault.message[:200] for fault in check.iter_errors(said)]
        for of, said in ENDPOINTS[schema].items()
    }
    assert {of: found for of, found in faults.items() if found} == {}


@pytest.mark.parametrize("typing", [True, False])
def test_read_mark_fits_the_platforms_own_description(schemas: Json, typing: bool) -> None:
    said = orjson.loads(read_body_of(READ_MARK, typing=typing))
    assert list(validator(schemas, "MarkMessageRequestPayload").iter_errors(said)) == []
    assert said.pop("typing_indicator", None) == ({"type": "text"} if typing else None)
    assert said == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}


@pytest.mark.parametrize("left_out", AMENDMENTS)
def test_amendment_is_still_needed(schemas: Json, left_out: str) -> None:
    """An exception the description no longer needs is taken out of the list."""
    others = [one for name, one in AMENDMENTS.items() if name != left_out]
    refused = [
        of
        for schema, bodies in ENDPOINTS.items()
        for check in [validator(schemas, schema, others)]
        for of, said in bodies.items()
        if not check.is_valid(said)
    ]
    assert refused, "the description says this by itself now: take the amendment out"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"to": None}, id="nobody"),
        pytest.param({"recipient": "IT.1"}, id="two recipients"),
        pytest.param({"type": "poll"}, id="unknown type"),
        pytest.param({"tomorrow": 1}, id="unknown field"),
        pytest.param({"text": {"body": 7}}, id="no text"),
        pytest.param(template({"type": "body", "parameters": [{"type": "text"}]}), id="no value"),
        pytest.param(template({"type": "verse"}), id="unknown part"),
    ],
)
def test_description_still_refuses_a_wrong_body(schemas: Json, change: Json) -> None:
    wrong = {field: value for field, value in (body("text") | change).items() if value is not None}
    if wrong["type"] == "template":
        del wrong["text"]
    assert not validator(schemas, "Message", AMENDMENTS.values()).is_valid(wrong)
