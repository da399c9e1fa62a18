"""10,000 requests for 1,000 people with a cap of 1, published at once."""

import time

import pytest

from libs.common.tests.support.waiting import until
from tests.e2e.stack import Stack, request

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PEOPLE = [f"+39335{n:07d}" for n in range(1000)]


async def held_by_cap(stack: Stack) -> int:
    """How many messages were held back with the cap as their reason."""
    funnel = await stack.get("analytics", "/v1/funnel?since=1h")
    return sum(held["count"] for held in funnel["held_back"]["by_reason"] if held["reason"] == "cap_reached")


async def test_exactly_one_promo_each_is_accepted_and_the_others_are_explained(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = {"population": {"on": False}, "undeliverable_ratio": 0}  # a refund would free a slot, rightly
    assert (await stack.patch("simulator", "/control", calm)).status_code == 200
    await stack.opt_in(PEOPLE)
    before, held_before, buried = await stack.counts(), await held_by_cap(stack), await stack.dead_letters()
    seen = max((e["seq"] for e in await stack.ledger()), default=0)

    requests = [request(p) for _ in range(10) for p in PEOPLE]
    started = time.monotonic()
    await stack.publish(requests)
    published = time.monotonic()

    async def decided() -> int:
        return (await stack.counts())["decided"] - before["decided"]

    await until(decided, lambda n: n >= 10_000, within_s=120)
    all_decided = time.monotonic()

    async def accepted() -> int:
        return (await stack.counts())["accepted"] - before["accepted"]

    await until(accepted, lambda n: n >= 1000, within_s=120)
    finished = time.monotonic()

    entries = await stack.ledger(after=seen)
    assert len(entries) == 1000
    assert {e["recipient"].lstrip("+") for e in entries} == {p[1:] for p in PEOPLE}
    after = await stack.counts()
    assert after["decided"] - before["decided"] == 10_000
    assert after["allowed"] - before["allowed"] == 1000
    assert after["denied"] - before["denied"] == 9000
    assert await held_by_cap(stack) - held_before == 9000
    assert await stack.dead_letters() == buried
    with capsys.disabled():
        print(  # noqa: T201 - the figure a person wants to see
            f"\n10,000 requests: published in {published - started:.1f} s, decided after "
            f"{all_decided - started:.1f} s ({10_000 / (all_decided - started):.0f}/s), "
            f"1,000 accepted after {finished - started:.1f} s"
        )
