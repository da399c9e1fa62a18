"""What the platform tells the sender, and what only the sender tells it: limits, pauses, read marks."""

import re
from uuid import uuid4

import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

NUMBER, ACCOUNT = "106540352242922", "102290129340398"


async def figure(stack: Stack, name: str, **labels: str) -> float | None:
    """Read one of the sender's figures; None where it shows none yet."""
    async with stack.http() as client:
        text = (await client.get(f"{stack.urls['sender']}/metrics")).text
    for line in text.splitlines():
        found = re.fullmatch(r"([a-z_]+)\{(.*)\} (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2])) == labels:
            return float(found[3])
    return None


async def turned(stack: Stack, what: str, **patch: object) -> None:
    answer = await stack.patch("simulator", f"/control/{what}", patch)
    assert answer.status_code == 200, answer.text


async def test_how_many_people_a_portfolio_may_reach_follows_the_platform(stack: Stack) -> None:
    async def limit() -> float | None:
        return await figure(stack, "garbo_sender_portfolio_people_limit", portfolio=ACCOUNT)

    await until(limit, lambda most: most == float("inf"))  # read at the start, told by nobody
    await turned(stack, f"accounts/{ACCOUNT}", messaging_limit="TIER_100K")
    await until(limit, lambda most: most == 100_000)
    await turned(stack, f"accounts/{ACCOUNT}", messaging_limit="TIER_UNLIMITED")
    await until(limit, lambda most: most == float("inf"))


async def test_a_template_that_the_platform_pauses_is_paused_until_it_says_otherwise(stack: Stack) -> None:
    async def paused() -> float | None:
        return await figure(stack, "garbo_sender_paused", scope="template", reason="template_paused")

    await turned(stack, "templates/summer_sale", status="PAUSED", title="FIRST_PAUSE")
    await until(paused, lambda count: count == 1)
    await turned(stack, "templates/summer_sale", status="APPROVED", title="UNPAUSE")
    await until(paused, lambda count: count == 0)


async def test_the_platform_is_told_that_a_message_was_read(stack: Stack) -> None:
    async def marked() -> float | None:
        return await figure(stack, "garbo_sender_read_marks_total", outcome="marked")

    before = await marked() or 0
    read = {"number": NUMBER, "message_id": f"wamid.{uuid4().hex}", "typing": True}
    answer = await stack.post("ingest", "/v1/reads", read)
    assert answer.status_code == 202, answer.text
    await until(marked, lambda count: count == before + 1)
