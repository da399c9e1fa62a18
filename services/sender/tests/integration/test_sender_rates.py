"""The rate of a number on a real PostgreSQL and real sockets: never above it, used, and care first."""

import asyncio
import time

import pytest

from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.graph import FakeGraph
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import a_sender, only

pytestmark = pytest.mark.integration


def most_in_a_second(instants: list[float]) -> int:
    return max(sum(at <= other <= at + 1 for other in instants) for at in instants)


async def test_two_replicas_together_stay_below_the_ceiling_and_use_it(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    grants = [a_grant(lane="promo") for _ in range(160)]
    await sender_database.book(*grants)
    async with (
        a_sender(sender_database, graph.url, rate=50, shards=only(0)) as one,
        a_sender(sender_database, graph.url, rate=50, shards=only(1)) as two,
    ):
        begun = time.monotonic()
        await asyncio.gather(one.send(*grants[:80], shard=0), two.send(*grants[80:], shard=1))
        took_s = time.monotonic() - begun
    assert len(graph.at) == 160
    assert most_in_a_second([*one.left_at, *two.left_at]) <= 50
    assert most_in_a_second(graph.at) <= 51, "the platform is of the same loop, which may read late"
    assert took_s < 160 / 50 * 3, "a calm machine needs 1.05 times the ideal, a busy one loses places"


async def test_care_is_not_kept_waiting_by_a_long_promo_queue(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    promo, care = [a_grant(lane="promo") for _ in range(80)], a_grant()
    await sender_database.book(*promo, care)
    async with a_sender(sender_database, graph.url, rate=50) as sender:
        sends = asyncio.create_task(sender.send(*promo))
        await until(lambda: len(graph.posts) > 5)
        await sender.send(care)
        place = [p["biz_opaque_callback_data"] for p in graph.posts].index(f"{care.message_id}.1")
        await sends
    assert place < 40


@pytest.mark.parametrize("rate", [1, 2, 3, 5])
async def test_a_slow_number_sends_as_fast_as_it_may(
    sender_database: SenderDatabase, graph: FakeGraph, rate: int
) -> None:
    grants = [a_grant() for _ in range(4)]
    await sender_database.book(*grants)
    async with a_sender(sender_database, graph.url, rate=rate) as sender:
        await sender.send(*grants)
