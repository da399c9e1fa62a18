"""One number and one person: never more than the platform allows, care not starved by promo."""

import asyncio
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garbo.common.events.decisions import Lane
from garbo.sender.domain.pair import BURST, EVERY_S, EVERY_US, MOST_AHEAD_US
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.graph import FakeGraph
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender, a_sender, only

SECOND_US = 1_000_000
T0_US = 1_790_000_000_000_000


def earliest_us(tat_us: int, now_us: int, lane: Lane) -> int:
    """Give the first instant, `now_us` or later, at which the next message may go."""
    return max(now_us, tat_us - (BURST[lane] - 1) * EVERY_US)


def tat_after_us(tat_us: int, now_us: int) -> int:
    """Give the `tat` after a message that goes at `now_us`."""
    return max(tat_us, now_us) + EVERY_US


def go(tat_us: int, now_us: int, lane: Lane, count: int) -> tuple[int, list[int]]:
    """Send as soon as may be; give the instants."""
    instants: list[int] = []
    for _ in range(count):
        now_us = earliest_us(tat_us, now_us, lane)
        tat_us = tat_after_us(tat_us, now_us)
        instants.append(now_us)
    return tat_us, instants


def test_scenario_67_45_go_at_once_and_then_one_each_6_s_as_borrowed() -> None:
    _, instants = go(0, T0_US, "care", 48)
    assert [at - T0_US for at in instants] == [0] * 45 + [6 * SECOND_US, 12 * SECOND_US, 18 * SECOND_US]


def test_scenario_67_a_burst_of_20_is_paid_back_in_two_minutes() -> None:
    tat_us, _ = go(0, T0_US, "care", 20)
    assert tat_us - T0_US == 120 * SECOND_US
    _, again = go(tat_us, tat_us, "care", 45)
    assert set(again) == {tat_us}


def test_scenario_67_care_goes_at_once_when_promo_has_filled_its_part() -> None:
    tat_us, promo = go(0, T0_US, "promo", 30)
    assert set(promo) == {T0_US}
    assert earliest_us(tat_us, T0_US, "promo") == T0_US + 6 * SECOND_US
    _, care = go(tat_us, T0_US, "care", 16)
    assert [at - T0_US for at in care] == [0] * 15 + [6 * SECOND_US]


Asked = list[tuple[Lane, int]]
ASKED = st.lists(
    st.tuples(st.sampled_from(["care", "promo"]), st.integers(0, 20) | st.integers(0, 40 * SECOND_US)),
    min_size=1,
    max_size=150,
)


@settings(max_examples=200, deadline=None)
@given(asked=ASKED, patient=st.booleans())
def test_scenario_67_no_window_holds_more_than_the_law_allows(asked: Asked, patient: bool) -> None:
    tat_us, now_us, gone = 0, T0_US, list[tuple[int, Lane]]()
    for lane, after_us in asked:
        now_us += after_us
        at_us = earliest_us(tat_us, now_us, lane)
        if at_us > now_us and not patient:
            continue
        now_us = at_us
        tat_us = tat_after_us(tat_us, now_us)
        gone.append((now_us, lane))
        assert tat_us - now_us <= MOST_AHEAD_US
    for first, (begins_us, _) in enumerate(gone):
        for last in range(first, len(gone)):
            assert last - first + 1 <= BURST["care"] + (gone[last][0] - begins_us) // EVERY_US


@given(asked=st.lists(st.integers(0, 10 * SECOND_US), max_size=200))
def test_scenario_67_promo_alone_never_holds_up_the_15_that_are_cares(asked: list[int]) -> None:
    tat_us, now_us = 0, T0_US
    for after_us in asked:
        now_us += after_us
        if earliest_us(tat_us, now_us, "promo") == now_us:
            tat_us = tat_after_us(tat_us, now_us)
    _, care = go(tat_us, now_us, "care", 15)
    assert set(care) == {now_us}


@pytest.mark.integration
async def test_scenario_67_two_senders_and_60_grants_to_one_person_at_once(
    graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    first, other = a_grant(), a_grant()
    same = {"contact_id": first.contact_id}
    grants = [a_grant().model_copy(update=same) for _ in range(60)]
    await sender_database.book(*grants, other)
    async with (
        a_sender(sender_database, graph.url, shards=only(0)) as sender,
        a_sender(sender_database, graph.url, shards=only(1)) as second,
    ):
        begun = time.monotonic()
        await asyncio.gather(sender.take(*grants[:30], other, shard=0), second.take(*grants[30:], shard=1))
        await until(lambda: len(graph.posts), lambda posts: posts >= 46)
        await until(sender_database.waiting, lambda waiting: set(waiting.values()) >= {"pair"})
        since, attempts = int((time.monotonic() - begun) / EVERY_S), await sender_database.attempts()
    assert [r.outcome for r in sender.published(other)] == ["accepted"]
    assert 46 <= len(attempts) <= 46 + since
    assert len(graph.posts) <= 47 + since


@pytest.mark.integration
async def test_whoever_waits_for_a_pair_holds_up_nobody_and_uses_no_attempt(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    first, waits, other = a_grant(), a_grant(lane="promo"), a_grant(lane="promo")
    waits = waits.model_copy(update={"contact_id": first.contact_id})
    await sender_database.book(first, waits, other)
    await sender.send(first)
    far_ahead = "UPDATE sender.pair_rate SET tat_us = (extract(epoch FROM now()) * 1000000)::bigint + $1"
    async with sender_database.database.connection() as connection:
        await connection.execute(far_ahead, (174 + 30) * 1_000_000)
    await sender.take(waits, other)
    await until(lambda: sender.published(other))
    await until(sender_database.waiting, lambda waiting: waiting == {waits.message_id: "pair"})
    assert sender.published(waits) == []
    await sender_database.hurry()
    await until(lambda: sender.published(waits))
    assert [(r.outcome, r.attempt_id) for r in sender.published(waits)] == [
        ("accepted", f"{waits.message_id}.1")
    ]
    assert len(graph.posts) == 3


@pytest.mark.integration
async def test_whoever_cannot_go_before_the_lease_ends_is_told_so_at_once(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    first, waits = a_grant(), a_grant(lane="promo", valid_for=timedelta(seconds=60))
    waits = waits.model_copy(update={"contact_id": first.contact_id})
    await sender_database.book(first, waits)
    await sender.send(first)
    async with sender_database.database.connection() as connection:
        await connection.execute(
            "UPDATE sender.pair_rate SET tat_us = (extract(epoch FROM now()) * 1000000)::bigint + 250000000"
        )
    await sender.send(waits)
    assert [(r.outcome, r.reason) for r in sender.published(waits)] == [("not_sent", "pair_limited")]
    assert len(graph.posts) == 1
