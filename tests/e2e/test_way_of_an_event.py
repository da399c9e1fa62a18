"""One message, and what comes back, walked through every process over real sockets."""

import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Json, Stack, request

pytestmark = pytest.mark.e2e

MARIA = "+393331000001"


def steps(story: Json) -> set[str]:
    return {step["what"] for step in story["story"]}


async def test_a_promo_is_sent_once_and_the_second_is_held_back_and_explained(stack: Stack) -> None:
    await stack.opt_in([MARIA])
    first, second = request(MARIA), request(MARIA)
    await stack.publish([first])
    sent = await until(
        lambda: stack.story(first["request_id"]), lambda s: s is not None and "delivered" in steps(s)
    )
    assert sent is not None
    assert {"requested", "allowed", "accepted", "delivered"} <= steps(sent)

    await stack.publish([second])
    held = await until(
        lambda: stack.story(second["request_id"]), lambda s: s is not None and "held" in steps(s)
    )
    assert held is not None
    assert held["verdict"] == "deny"
    assert held["reason"] == "cap_reached"
    assert held["next_allowed_at"]
    assert "Held back" in str(held)

    mine = [e for e in await stack.ledger() if e["recipient"].lstrip("+") == MARIA[1:]]
    assert len(mine) == 1


async def test_a_customer_who_says_stop_gets_no_promo_and_still_gets_care(stack: Stack) -> None:
    phone = "+393331000002"
    await stack.opt_in([phone])
    wrote = await stack.post("simulator", f"/customers/{phone}/messages", {"text": "Stop!!"})
    assert wrote.status_code == 202

    async def preview(purpose: str) -> Json:
        body = request(phone, purpose=purpose)
        if purpose == "care":
            body["content"] = {"type": "text", "text": {"body": "Eccoci"}}
        return (await stack.preview([body]))[0]

    async def heard_back() -> int:
        return len([e for e in await stack.ledger() if e["recipient"].lstrip("+") == phone[1:]])

    await until(lambda: preview("promo"), lambda d: d["reason"] == "stopped")
    await until(heard_back, lambda count: count == 1)  # the one confirmation
    again = await stack.post("simulator", f"/customers/{phone}/messages", {"text": "STOP"})
    assert again.status_code == 202
    care = request(phone, purpose="care", content={"type": "text", "text": {"body": "Eccoci"}})
    await stack.publish([care])
    await until(lambda: stack.story(care["request_id"]), lambda s: s is not None and "delivered" in steps(s))
    assert await heard_back() == 2, "the confirmation and the care, and no second confirmation"


async def test_asking_twice_is_asking_once(stack: Stack) -> None:
    phone = "+393331000003"
    await stack.opt_in([phone])
    asked = request(phone)
    await stack.publish([asked, asked])
    await stack.publish([asked])
    await until(lambda: stack.story(asked["request_id"]), lambda s: s is not None and "accepted" in steps(s))
    again = asked | {"priority": 99}
    answer = await stack.post("ingest", "/v1/messages", again)
    assert answer.status_code == 409, "another body under a known id"
    last = request(phone)
    await stack.publish([last])
    await until(lambda: stack.story(last["request_id"]), lambda s: s is not None and "held" in steps(s))
    mine = [e for e in await stack.ledger() if e["recipient"].lstrip("+") == phone[1:]]
    assert len(mine) == 1
    decision = await stack.get("router", f"/v1/decisions/{asked['request_id']}?client=shop")
    assert decision["verdict"] == "allow"
    assert decision["sequence"] == 1


async def test_a_template_that_is_gone_since_it_was_read_is_failed_with_the_platforms_code(
    stack: Stack,
) -> None:
    phone = "+393331000004"
    await stack.opt_in([phone])
    fault = {"kind": "error", "code": 132001, "next": 1}
    assert (await stack.patch("simulator", "/control", {"faults": [fault]})).status_code == 200
    gone = {"name": "gone_sale", "language": {"code": "it"}}  # paused by this: nobody else sends it
    asked = request(phone, content={"type": "template", "template": gone})
    await stack.publish([asked])
    story = await until(
        lambda: stack.story(asked["request_id"]), lambda s: s is not None and "failed" in steps(s)
    )
    assert "132001" in str(story)
    assert not [e for e in await stack.ledger() if e["recipient"].lstrip("+") == phone[1:]]
