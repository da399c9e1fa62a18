"""Templates as the platform has them: what changes there is refused, or taken again, a moment later."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from garbo.common.events.topics import SEND_REQUESTED
from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack, request

pytestmark = pytest.mark.e2e

PHONE = "+393334700001"
IMAGE_AND_TWO = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Until {{1}}: {{2}} off."},
]
ONE = [{"type": "BODY", "text": "New: {{1}}"}]


def asked(*values: str) -> Json:
    given = [{"type": "text", "text": value} for value in values]
    template = {
        "name": "order_update",
        "language": {"code": "it"},
        "components": [{"type": "body", "parameters": given}],
    }
    return request(PHONE, content={"type": "template", "template": template})


async def turned(stack: Stack, **patch: Any) -> None:  # noqa: ANN401 - any field of a template
    """Change the template at the platform."""
    answer = await stack.patch("simulator", "/control/templates/order_update", patch)
    assert answer.status_code == 200, answer.text


async def refusals(stack: Stack) -> list[tuple[str, str]]:
    """Ask with one value; give what is refused: field and advice."""
    answer = await stack.post("ingest", "/v1/messages", asked("x"))
    return [(one["field"], one["detail"]) for one in answer.json().get("errors", ())]


@pytest.fixture(autouse=True)
async def as_it_was(stack: Stack) -> AsyncIterator[None]:
    """Whatever a test found, the next may send the template."""
    yield
    await turned(stack, status="APPROVED", category="UTILITY", components=ONE)
    await until(lambda: refusals(stack), lambda found: found == [])


async def test_what_the_platform_changes_decides_at_the_door(stack: Stack) -> None:
    assert await until(lambda: refusals(stack), lambda found: found == []) == []
    await turned(stack, status="PAUSED", title="FIRST_PAUSE")
    ((field, advice),) = await until(lambda: refusals(stack))
    assert field == "content.template.name"
    assert "paused by the platform" in advice
    await until(lambda: decided_over_kafka(stack, asked("x")), lambda reason: reason == "template_paused")
    await turned(stack, status="APPROVED", title="UNPAUSE")
    await until(lambda: refusals(stack), lambda found: found == [])
    await turned(stack, components=IMAGE_AND_TWO)
    picture, count = await until(lambda: refusals(stack), lambda found: len(found) == 2)
    assert "a component of type header with one parameter of type image" in picture[1]
    assert "must give the body 2 parameters, not 1" in count[1]
    await until(lambda: decided_over_kafka(stack, asked("x")), lambda reason: reason == "template_parameters")
    await turned(stack, components=ONE)
    await until(lambda: refusals(stack), lambda found: found == [])


async def test_template_that_was_recategorised_without_a_word_is_a_promo_once_it_was_read(
    stack: Stack,
) -> None:
    ask = asked("x") | {"purpose": "utility"}

    async def message_class() -> str:
        (decision,) = await stack.preview([ask])
        return str(decision.get("message_class"))

    await until(message_class, lambda word: word == "utility")
    await turned(stack, category="MARKETING", webhook=False)
    await turned(stack, quality="YELLOW")  # it tells of this, and the account is read whole
    await until(message_class, lambda word: word == "promo")
    await turned(stack, category="UTILITY")
    await until(message_class, lambda word: word == "utility")


async def test_garbo_templates_lists_shows_and_reads_them(stack: Stack) -> None:
    if not stack.environ:
        pytest.skip("the installation is somebody else's: its business file is not here")
    await until(lambda: refusals(stack), lambda found: found == [])
    listed = await typed(stack, "list")
    assert "account 102290129340398, 3 templates, read 20" in listed
    assert re.search(r"order_update +it +utility +approved +\w+ +1 value", listed)
    assert "summer_sale" in listed
    shown = await typed(stack, "show", "order_update")
    assert '{"type":"body","parameters":[{"type":"text","text":"..."}]}' in shown
    await turned(stack, status="PAUSED", title="FIRST_PAUSE", webhook=False)
    assert "order_update it is paused" in await typed(stack, "sync")
    await until(lambda: refusals(stack))
    await turned(stack, status="APPROVED", webhook=False)
    assert "order_update it is approved" in await typed(stack, "sync")
    assert "0 differ from what was known" in await typed(stack, "sync")
    await until(lambda: refusals(stack), lambda found: found == [])


async def typed(stack: Stack, *words: str) -> str:
    """Type `garbo templates ...`; give what it says."""
    command = [sys.executable, "-m", "garbo.cli", "templates", *words]
    env = {**stack.environ, "COLUMNS": "200"}
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


async def decided_over_kafka(stack: Stack, ask: Json) -> str:
    """Write a request straight to Kafka, as any service may; give the reason of its decision."""
    producer = AIOKafkaProducer(**stack.kafka.connection())
    await producer.start()
    try:
        record = ask | {"client": "shop", "requested_at": datetime.now(UTC).isoformat()}
        await producer.send_and_wait(SEND_REQUESTED.name, orjson.dumps(record), key=b"straight")
    finally:
        await producer.stop()
    story = await until(
        lambda: stack.story(ask["request_id"]), lambda s: s is not None and s["verdict"] is not None
    )
    assert story is not None
    return str(story["reason"])
