"""What WhatsApp says of a person by failed sends and webhooks: held back, stopped, another number."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack, request

pytestmark = pytest.mark.e2e


def patient(phone: str) -> Json:
    return request(phone, tags=["patient"])


async def preview_with(stack: Stack, phone: str, *reasons: str) -> Json:
    """Wait until a promo to this person would be decided for one of these reasons."""

    async def found() -> Json:
        return (await stack.preview([patient(phone)]))[0]

    return await until(found, lambda decision: decision["reason"] in reasons)


async def fail_once(stack: Stack, phone: str, *, code: int) -> None:
    """Let one promo to this person be accepted and fail later with a code."""
    fault = {"kind": "failed_status", "code": code, "next": 1}
    assert (await stack.patch("simulator", "/control", {"faults": [fault]})).status_code == 200
    asked = patient(phone)
    await stack.publish([asked])
    story = await until(
        lambda: stack.story(asked["request_id"]), lambda s: s is not None and s["state"] == "failed"
    )
    assert story is not None
    assert story["code"] == code


async def test_after_meta_held_a_promo_back_the_next_waits_for_a_day(stack: Stack) -> None:
    phone = "+393338100001"
    await stack.opt_in([phone])
    await fail_once(stack, phone, code=131049)
    decision = await preview_with(stack, phone, "platform_cooldown", "would_expire")
    wait = datetime.fromisoformat(decision["next_allowed_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=55) < wait <= timedelta(hours=24)


async def test_a_send_that_failed_for_a_stop_in_whatsapp_is_the_stop_itself(stack: Stack) -> None:
    phone = "+393338000002"
    await stack.opt_in([phone])
    await fail_once(stack, phone, code=131050)
    decision = await preview_with(stack, phone, "platform_stopped")
    assert "next_allowed_at" not in decision, "waiting does not help"


async def test_neither_the_new_number_nor_who_has_the_old_one_next_has_consented(stack: Stack) -> None:
    old, new = "+393338000003", "+393338000004"
    given = {"brand": "acme", "to": {"phone": old}, "action": "given", "source": "form"}
    earlier = datetime.now(UTC) - timedelta(hours=1)  # the platform's instants are whole seconds
    answer = await stack.post("ingest", "/v1/consents", given | {"occurred_at": earlier.isoformat()})
    assert answer.status_code == 202
    await preview_with(stack, old, "allowed")
    assert await stack.webhook(moved(stack, old, new)) == 200
    await preview_with(stack, old, "not_opted_in", "suppressed")
    await preview_with(stack, new, "not_opted_in")


def moved(stack: Stack, old: str, new: str) -> bytes:
    """Write the webhook of somebody who changed their number."""
    message = {
        "from": old[1:],
        "id": f"wamid.{uuid4().hex}",
        "timestamp": str(int(time.time())),
        "type": "system",
        "system": {"body": "x", "wa_id": new[1:], "type": "user_changed_number"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390255550100", "phone_number_id": stack.number},
        "messages": [message],
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})
