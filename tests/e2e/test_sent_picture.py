"""A picture that a client gave once, sent in an answer to a customer: through all four processes."""

import httpx
import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack, request

pytestmark = pytest.mark.e2e

PHONE = "+393335500001"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 200


async def test_a_picture_that_was_given_is_uploaded_and_sent_by_its_id(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.api_key}", "Content-Type": "image/png"}
    async with stack.http() as client:
        address = f"{stack.urls['sender']}/v1/media?brand=acme"
        given = await client.post(address, content=PNG, headers=headers)
    assert given.status_code == httpx.codes.CREATED, given.text
    file = given.json()["file"]
    wrote = await stack.post("simulator", f"/customers/{PHONE}/messages", {"text": "What does it look like?"})
    assert wrote.status_code == httpx.codes.ACCEPTED
    content = {"type": "image", "image": {"file": file, "caption": "Like this"}}

    async def allowed() -> bool:
        [decision] = await stack.preview([request(PHONE, purpose="care", content=content)])
        return bool(decision["verdict"] == "allow")

    await until(allowed)
    asked = request(PHONE, purpose="care", content=content)
    await stack.publish([asked])
    story = await until(
        lambda: stack.story(asked["request_id"]),
        lambda s: s is not None and "delivered" in {step["what"] for step in s["story"]},
    )
    assert story is not None
    [sent] = [e for e in await stack.ledger() if e["recipient"].lstrip("+") == PHONE[1:]]
    kept = await stack.get("simulator", "/control/media")
    assert sent["type"] == "image"
    assert sent["files"] == [one["id"] for one in kept if one["size_bytes"] == len(PNG)]
