"""`/v1/messages` over ASGI."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from starlette.types import ASGIApp

from garbo.common.events.ids import address_hash, message_id_of, request_id_of
from garbo.common.events.requests import SendRequested
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import CARE, PHONE, READER, SHOP, AnyJson, post

REQUEST_ID = "0192c3d4-0000-7000-8000-000000000001"


def message(**more: AnyJson) -> dict[str, Any]:
    base = {
        "brand": "acme",
        "to": {"phone": PHONE},
        "purpose": "promo",
        "content": {"type": "text", "text": {"body": "ciao"}},
    }
    return base | more


def requests_in(log: MemoryEventLog) -> list[SendRequested]:
    return [found.event for found in log.found if isinstance(found.event, SendRequested)]


async def test_a_message_is_taken_with_client_and_instant_filled_in(
    ingest_app: ASGIApp, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    answer = await post(ingest_app, message(request_id=REQUEST_ID))
    assert answer.status == 202
    minted = message_id_of("shop", UUID(REQUEST_ID))
    assert answer.json() == {"messages": [{"request_id": REQUEST_ID, "message_id": str(minted)}]}
    (event,) = requests_in(event_log)
    assert (event.client, event.requested_at, event.priority) == ("shop", ingest_clock.now(), 50)
    assert event_log.found[0].key == address_hash(b"hash-key-of-the-tests", "phone", PHONE)


async def test_an_array_is_taken_in_its_order(ingest_app: ASGIApp, event_log: MemoryEventLog) -> None:
    answer = await post(ingest_app, [message(priority=n % 100) for n in range(1000)])
    assert answer.status == 202
    events = requests_in(event_log)
    assert [event.priority for event in events] == [n % 100 for n in range(1000)]
    assert [one["request_id"] for one in answer.json()["messages"]] == [str(e.request_id) for e in events]


async def test_the_idempotency_key_becomes_the_request_id(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    await post(ingest_app, message(), idempotency=["order-17"])
    await post(ingest_app, message(), idempotency=["order-17"])
    await post(ingest_app, [message(), message(request_id=REQUEST_ID)], idempotency=["order-17"])
    ids = [event.request_id for event in requests_in(event_log)]
    alone, first = request_id_of("shop", "order-17"), request_id_of("shop", "order-17", 0)
    assert ids == [alone, alone, first, UUID(REQUEST_ID)]


async def test_without_any_id_a_time_ordered_one_is_minted(
    ingest_app: ASGIApp, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    await post(ingest_app, [message(), message()])
    first, second = (event.request_id for event in requests_in(event_log))
    assert first != second
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first.int >> 80 == int(ingest_clock.now().timestamp() * 1000)


@pytest.mark.parametrize("keys", [["a", "b"], ["with space"], ["x" * 256], [""], ["é"]], ids=str)
async def test_an_odd_idempotency_key_is_refused(ingest_app: ASGIApp, keys: list[str]) -> None:
    assert (await post(ingest_app, message(), idempotency=keys)).status == 400


@pytest.mark.parametrize("key", [None, "wrong-key-0123456789abcdef", "short"])
async def test_an_unknown_key_is_refused(
    ingest_app: ASGIApp, event_log: MemoryEventLog, key: str | None
) -> None:
    answer = await post(ingest_app, message(), key=key)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert event_log.entries == []


FORBIDDEN: list[tuple[str, dict[str, Any], str]] = [
    (SHOP, {"brand": "bella"}, "brand"),
    (SHOP, {"purpose": "care"}, "purpose"),
    (CARE, {"purpose": "promo"}, "purpose"),
    (SHOP, {"client": "desk"}, "client"),
]


@pytest.mark.parametrize(("key", "more", "field"), FORBIDDEN)
async def test_what_the_key_may_not_do_is_refused_and_named(
    ingest_app: ASGIApp, event_log: MemoryEventLog, key: str, more: dict[str, Any], field: str
) -> None:
    answer = await post(ingest_app, message(**more), key=key)
    assert answer.status == 403
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert event_log.entries == []


async def test_a_client_that_may_only_read_may_not_publish(ingest_app: ASGIApp) -> None:
    assert (await post(ingest_app, message(), key=READER)).status == 403


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"to": {"phone": "12"}}, "to.phone", "E.164"),
    ({"to": {"phone": "+39333123456789012"}}, "to.phone", "E.164"),
    ({"to": {"phone": "+000000000"}}, "to.phone", "E.164"),
    ({"to": {}}, "to", "exactly one"),
    ({"to": {"phone": PHONE, "group_id": "g"}}, "to", "exactly one"),
    ({"sender": "x"}, "sender", "no field here"),
    ({"to": {"phone": PHONE, "name": "x"}}, "to.name", "no field here"),
    ({"content": {"type": "text", "text": {"body": "x", "bold": True}}}, "content.text.bold", "no field"),
    ({"content": {"type": "text", "text": {"body": ""}}}, "content.text.body", "at least 1"),
    ({"content": {"type": "text", "text": {"body": "x" * 4097}}}, "content.text.body", "at most 4096"),
    ({"content": {"type": "hologram"}}, "content", "not known"),
    ({"content": {}}, "content", "needs a type"),
    ({"request_id": "17"}, "request_id", "UUID"),
    ({"purpose": "spam"}, "purpose", "promo"),
    ({"priority": 101}, "priority", "100"),
    ({"expires_at": "2026-10-01T10:00:00"}, "expires_at", "UTC offset"),
    ({"expires_at": "tomorrow"}, "expires_at", "UTC offset"),
    ({"brand": None}, "brand", "string"),
]


@pytest.mark.parametrize(("more", "field", "advice"), INVALID, ids=[f"{c[1]}-{c[2]}" for c in INVALID])
async def test_a_wrong_field_is_named_with_what_to_do(
    ingest_app: ASGIApp, event_log: MemoryEventLog, more: dict[str, Any], field: str, advice: str
) -> None:
    answer = await post(ingest_app, message(**more))
    assert answer.status == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["pointer"] == "#/" + field.replace(".", "/")
    assert advice in error["detail"]
    assert event_log.entries == []


async def test_null_is_absent(
    ingest_app: ASGIApp, event_log: MemoryEventLog, ingest_clock: FixedClock
) -> None:
    optional = [name for name, field in SendRequested.model_fields.items() if not field.is_required()]
    filled = ["client", "request_id", "requested_at"]
    answer = await post(ingest_app, message(**dict.fromkeys(optional + filled)))
    assert answer.status == 202
    (event,) = requests_in(event_log)
    assert (event.client, event.requested_at, event.priority) == ("shop", ingest_clock.now(), 50)
    assert (event.tags, event.channel) == ((), "auto")


async def test_nothing_of_an_array_is_taken_when_one_element_is_wrong(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    answer = await post(ingest_app, [message(), message(to={"phone": "1"}), "text", message(brand="")])
    assert answer.status == 422
    errors = answer.json()["errors"]
    assert [(e["index"], e["pointer"]) for e in errors] == [(1, "#/1/to/phone"), (2, "#/2"), (3, "#/3/brand")]
    assert event_log.entries == []


async def test_an_answer_quotes_no_value(ingest_app: ASGIApp) -> None:
    secret = "secret-words-of-a-customer"
    body = message(to={"phone": secret}, content={"type": secret}, purpose=secret, request_id=secret)
    answer = await post(ingest_app, body)
    assert answer.status == 422
    assert secret not in answer.body.decode()


@pytest.mark.parametrize("body", [[], [message()] * 1001, "text", 7, None])
async def test_a_body_of_another_shape_is_refused(
    ingest_app: ASGIApp, event_log: MemoryEventLog, body: AnyJson
) -> None:
    assert (await post(ingest_app, body)).status == 422
    assert event_log.entries == []


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"a":NaN}', b"\xff"])
async def test_a_body_that_is_no_json_is_refused(ingest_app: ASGIApp, body: bytes) -> None:
    answer = await post(ingest_app, body)
    assert answer.status == 400
    assert answer.json()["detail"].startswith("Send")


async def test_a_body_over_the_limit_is_refused(ingest_app: ASGIApp) -> None:
    assert (await post(ingest_app, b" " * (3 * 1024 * 1024 + 1))).status == 413


def nested(depth: int) -> AnyJson:
    inner: AnyJson = "x"
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def template(*components: AnyJson) -> AnyJson:
    return {
        "type": "template",
        "template": {"name": "t", "language": {"code": "it"}, "components": list(components)},
    }


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (template({"type": "body", "n": [10**9] * 3000}), "components"),
        (template(*({"type": "body"} for _ in range(3000))), "components"),
        (template(nested(20)), "components"),
        ({"type": "interactive", "interactive": nested(20)}, "interactive"),
        ({"type": "location", "location": {"a": [[]] * 3000}}, "location"),
        ({"type": "reaction", "reaction": nested(20)}, "reaction"),
    ],
    ids=["wide", "many", "deep", "interactive", "location", "reaction"],
)
async def test_what_the_platform_reads_is_bounded_in_depth_and_width(
    ingest_app: ASGIApp, event_log: MemoryEventLog, content: AnyJson, field: str
) -> None:
    answer = await post(ingest_app, message(content=content))
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"].endswith(field)
    assert event_log.entries == []


@pytest.mark.parametrize("odd", [rb"\u0000", rb"\ud800"])
async def test_a_text_that_no_database_could_hold_is_cleaned(
    ingest_app: ASGIApp, event_log: MemoryEventLog, odd: bytes
) -> None:
    body = orjson.dumps(message()).replace(b'"ciao"', b'"ci' + odd + b'ao"')
    assert (await post(ingest_app, body)).status == 202
    (event,) = requests_in(event_log)
    assert event.content.model_dump()["text"]["body"] == "ci\ufffdao"


async def test_nothing_is_promised_while_kafka_is_down(
    ingest_app: ASGIApp, event_log: MemoryEventLog
) -> None:
    event_log.down = True
    assert (await post(ingest_app, message())).status == 503
