"""Webhook bodies posted by hand, as Meta would, walk to the console's numbers."""

import time
from uuid import uuid4

import orjson
import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack

pytestmark = pytest.mark.e2e


def message(phone: str, text: str, **more: object) -> Json:
    return {
        "from": phone.lstrip("+"),
        "id": f"wamid.{uuid4().hex}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    } | more


def body(stack: Stack, *messages: Json) -> bytes:
    contacts = [{"profile": {"name": "Zoë 👋"}, "wa_id": m["from"]} for m in messages if "from" in m]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390255550100", "phone_number_id": stack.number},
        "contacts": contacts,
        "messages": list(messages),
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


async def inbound(stack: Stack) -> int:
    return (await stack.counts())["inbound"]


async def test_the_same_body_twice_counts_once(stack: Stack) -> None:
    before = await inbound(stack)
    posted = body(stack, message("+393332000001", "Buongiorno"), message("+393332000002", "Salve"))
    assert await stack.webhook(posted) == 200
    assert await stack.webhook(posted) == 200
    marker = body(stack, message("+393332000003", "ultimo"))
    assert await stack.webhook(marker) == 200
    await until(lambda: inbound(stack), lambda n: n >= before + 3)
    assert await inbound(stack) == before + 3


async def test_a_broken_part_leaves_its_neighbours_alone(stack: Stack) -> None:
    before, buried = await inbound(stack), await stack.dead_letters()
    broken = message("+393332000004", "no time") | {"timestamp": "yesterday"}
    posted = body(stack, message("+393332000005", "uno"), broken, message("+393332000006", "due"))
    assert await stack.webhook(posted) == 200
    await until(lambda: inbound(stack), lambda n: n == before + 2)
    assert await stack.dead_letters() == buried + 1


async def test_odd_names_and_texts_pass(stack: Stack) -> None:
    before = await inbound(stack)
    posted = body(stack, message("+393332000007", "NUL and half a pair: XX"))
    posted = posted.replace(b"XX", b"\\u0000 \\ud800").replace("Zoë".encode(), b"Z\\u0000\\udfff")
    assert await stack.webhook(posted) == 200
    await until(lambda: inbound(stack), lambda n: n == before + 1)


@pytest.mark.parametrize(
    ("secret", "status"),
    [pytest.param("not the secret", 401, id="forged"), pytest.param("", 401, id="empty")],
)
async def test_a_forged_body_is_refused(stack: Stack, secret: str, status: int) -> None:
    assert await stack.webhook(body(stack, message("+393332000008", "forged")), secret=secret) == status


async def test_too_large_is_413(stack: Stack) -> None:
    assert await stack.webhook(b'"' + b"x" * (4 * 1024 * 1024) + b'"') == 413
