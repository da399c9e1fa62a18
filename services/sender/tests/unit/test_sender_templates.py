"""Templates follow the platform: what differs is told, what is gone is told, and nobody reads too often."""

import asyncio
from datetime import timedelta

import pytest

from garbo.sender.flow.templates import BUSY_COUNT, DEBOUNCE, CannotRead
from libs.common.tests.support.waiting import until
from services.sender.tests.support.template_stand import WABA, Stand, item


@pytest.fixture
def stand() -> Stand:
    return Stand()


async def test_first_reading_tells_all_and_the_next_only_what_differs(stand: Stand) -> None:
    stand.lists.shown[WABA] = [item("sale"), item("news"), item("old")]
    await stand.follow.read_due()
    assert stand.records.told == [("sale", "APPROVED"), ("news", "APPROVED"), ("old", "APPROVED")]
    account = stand.records.batches[-1][-1]
    assert (account.key, account.believed_until) == (WABA, stand.clock.now() + timedelta(hours=3))
    stand.clock.advance(timedelta(hours=1))
    stand.lists.shown[WABA] = [item("sale", status="PAUSED"), item("news")]
    await stand.follow.read_due()
    assert stand.records.told == [("sale", "PAUSED"), ("old", "DELETED")]
    stand.clock.advance(timedelta(hours=1))
    await stand.follow.read_due()
    assert stand.records.told == [], "what is gone is told once"
    assert stand.records.batches[-1][-1].observed_at == stand.clock.now(), "the account's own each time"


async def test_account_is_not_read_before_its_time_nor_where_another_process_has_just_read_it(
    stand: Stand,
) -> None:
    waits_s = await stand.follow.read_due()
    assert waits_s == 3600
    stand.clock.advance(timedelta(minutes=50))
    await stand.another().read_due()
    assert len(stand.lists.asked) == 2, "each process reads at its start"
    stand.clock.advance(timedelta(minutes=10))
    waits_s = await stand.follow.read_due()
    assert len(stand.lists.asked) == 2
    assert waits_s == 50 * 60
    stand.clock.advance(timedelta(minutes=50))
    await stand.follow.read_due()
    assert len(stand.lists.asked) == 3


async def test_change_is_read_soon_and_many_at_once_once(stand: Stand) -> None:
    await stand.follow.read_due()
    for _ in range(5):
        stand.follow.changed(WABA)
    assert await stand.follow.read_due() == DEBOUNCE.total_seconds()
    assert len(stand.lists.asked) == 1
    stand.clock.advance(DEBOUNCE)
    assert await stand.follow.read_due() == 3600
    assert len(stand.lists.asked) == 2


async def test_account_that_changes_all_the_time_is_not_read_all_the_time(stand: Stand) -> None:
    ends_at = stand.clock.now() + timedelta(hours=2)
    while stand.clock.now() < ends_at:
        stand.follow.changed(WABA)
        await stand.follow.read_due()
        stand.clock.advance(timedelta(seconds=1))
    assert 60 <= len(stand.lists.asked) / 2 <= BUSY_COUNT + 60, "an hour, of 200 calls"
    stand.clock.advance(timedelta(hours=2))
    await stand.follow.read_due()
    stand.follow.changed(WABA)
    assert await stand.follow.read_due() == DEBOUNCE.total_seconds(), "quiet since, it is read at once again"


async def test_change_of_an_account_that_is_not_ours_is_nothing(stand: Stand) -> None:
    stand.follow.changed("8")
    assert await stand.follow.read_due() == 3600
    assert stand.lists.asked == [(WABA, "1")]


async def test_next_number_is_asked_where_the_first_one_s_token_may_not(stand: Stand) -> None:
    stand.lists.refused["1"] = "code_190"
    await stand.follow.read_due()
    assert stand.lists.asked == [(WABA, "1"), (WABA, "2")]
    assert stand.records.told == [("sale", "APPROVED")]


async def test_account_nobody_may_read_is_tried_again_in_a_minute_and_nothing_is_told(stand: Stand) -> None:
    stand.lists.refused = {"1": "code_190", "2": "unreachable"}
    assert await stand.follow.read_due() == 60
    assert stand.records.batches == []
    with pytest.raises(CannotRead, match="unreachable"):
        await stand.follow.read(WABA, ("1", "2"))
    with pytest.raises(CannotRead, match="no_number"):
        await stand.follow.read(WABA, ())


async def test_what_could_not_be_told_is_told_the_next_time(stand: Stand) -> None:
    stand.records.down = True
    assert await stand.follow.read_due() == 60
    stand.records.down = False
    stand.clock.advance(timedelta(minutes=1))
    await stand.follow.read_due()
    assert stand.records.told == [("sale", "APPROVED")]


async def test_older_reading_of_a_slow_process_is_not_told_over_a_newer_one(stand: Stand) -> None:
    stand.clock.advance(timedelta(seconds=5))
    stand.lists.shown[WABA] = [item(status="PAUSED")]
    await stand.follow.read(WABA, ("1",))
    stand.clock.advance(timedelta(seconds=-5))
    stand.lists.shown[WABA] = [item(status="APPROVED")]
    await stand.another().read(WABA, ("1",))
    assert stand.records.told == []
    assert stand.known.known["9001:sale:it"].status == "PAUSED"


async def test_it_runs_until_cancelled_and_a_change_wakes_it(stand: Stand) -> None:
    running = asyncio.create_task(stand.follow.run())
    try:
        await until(lambda: len(stand.lists.asked) == 1, within_s=5)
        stand.accounts["9002"] = ("3",)
        stand.lists.shown["9002"] = []
        stand.follow.changed(WABA)
        await until(lambda: ("9002", "3") in stand.lists.asked, within_s=5)
    finally:
        running.cancel()
        await asyncio.wait([running])
