"""Bad input to the publish API: each gets the clear answer its place has, and nothing else is disturbed."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from garbo.common.events.topics import SEND_REQUESTED
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack, request

pytestmark = pytest.mark.e2e

PHONE = "+393334000001"


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        pytest.param({"to": {"phone": "12"}}, 422, "phone", id="a phone number that is none"),
        pytest.param({"colour": "red"}, 422, "colour", id="unknown field"),
        pytest.param({"purpose": "spam"}, 422, "purpose", id="unknown purpose"),
        pytest.param({"content": {"type": "telegram"}}, 422, "content", id="unknown message type"),
        pytest.param({"brand": "other"}, 403, "brand", id="a brand that is not the client's"),
        pytest.param({"client": "somebody"}, 403, "client", id="another client"),
        pytest.param({"priority": 101}, 422, "priority", id="out of range"),
        pytest.param({"to": {}}, 422, "to", id="nobody"),
    ],
)
async def test_a_wrong_request_is_refused_by_name(
    stack: Stack, change: dict[str, Any], status: int, told: str
) -> None:
    answer = await stack.post("ingest", "/v1/messages", request(PHONE) | change)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert told in answer.text


async def test_one_wrong_element_keeps_the_whole_array_out(stack: Stack) -> None:
    good, later = request(PHONE), request(PHONE)
    answer = await stack.post("ingest", "/v1/messages", [good, request("12")])
    assert answer.status_code == 422
    assert [(fault["index"], fault["field"]) for fault in answer.json()["errors"]] == [(1, "to.phone")]
    await stack.publish([later])
    await until(lambda: stack.story(later["request_id"]), decided)
    assert await stack.story(good["request_id"]) is None


async def test_no_key_is_401(stack: Stack) -> None:
    answer = await stack.post("ingest", "/v1/messages", request(PHONE), Authorization="Bearer wrong")
    assert answer.status_code == 401


async def test_a_repeat_with_another_body_is_told_and_changes_nothing(stack: Stack) -> None:
    asked = request(PHONE, request_id=str(uuid4()))
    await stack.publish([asked])
    first = await until(lambda: stack.story(asked["request_id"]), decided)
    other = asked | {"campaign": "another"}
    refused = await stack.post("ingest", "/v1/messages", other)
    assert refused.status_code == 409, "ingest remembers what it took a moment ago"
    assert refused.json()["messages"][0]["request_id"] == asked["request_id"]
    await written(stack, other | {"client": "shop", "requested_at": datetime.now(UTC).isoformat()})
    again = await until(
        lambda: stack.story(asked["request_id"]),
        lambda s: s is not None and any(step["what"] == "reused" for step in s["story"]),
    )
    assert first is not None
    assert again is not None
    assert (again["verdict"], again["reason"]) == (first["verdict"], first["reason"])


async def written(stack: Stack, record: Json) -> None:
    """Write a request straight to Kafka, as any service may."""
    producer = AIOKafkaProducer(**stack.kafka.connection())
    await producer.start()
    try:
        await producer.send_and_wait(SEND_REQUESTED.name, orjson.dumps(record), key=b"straight")
    finally:
        await producer.stop()


def decided(story: Json | None) -> bool:
    return story is not None and story["verdict"] is not None
