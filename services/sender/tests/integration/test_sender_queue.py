"""What waits to be sent: kept once, in order, looked at when its time has come, and never lost."""

import asyncio
import time
from datetime import timedelta

import pytest

from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.outcomes import Accepted, Unknown
from garbo.sender.flow.recorder import Recorder
from garbo.sender.flow.send_queue import LANES, SendQueue
from garbo.sender.ports.queue import Parked
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, a_grant, a_send
from services.sender.tests.support.fakes import ListedResults
from services.sender.tests.support.running_sender import all_shards
from services.sender.tests.support.stand import Stand

pytestmark = pytest.mark.integration

SHARDS = frozenset(range(12))


async def ahead(
    stand: Stand, *, lane: Lane = "care", after: int = 0, most: int = 100, but: tuple[int, ...] = ()
) -> list[SendGranted | object]:
    """Read a line; give the ids of its messages in order."""
    loaded = await stand.queue.load(NUMBER, lane, shards=SHARDS, after=after, most=most, but=but)
    return [one.send.message_id for one in loaded]


async def come(stand: Stand, *grants: SendGranted) -> list[int]:
    """Let grants be read in one batch; give their places."""
    return [taken.send.seq for taken in await stand.queue.take_in([a_send(grant) for grant in grants])]


async def test_what_is_read_back_is_what_was_kept(stand: Stand) -> None:
    grant = a_grant(window_for=timedelta(hours=1))
    [place] = await come(stand, grant)
    [loaded] = await stand.queue.load(NUMBER, "care", shards=SHARDS, after=0, most=10, but=[])
    sent = a_send(grant)
    kept = {name: getattr(loaded.send, name) for name in sent.__struct_fields__}
    assert kept == {name: getattr(sent, name) for name in sent.__struct_fields__} | {"seq": place}
    assert not loaded.is_decided


async def test_a_batch_keeps_the_order_in_which_it_was_read(stand: Stand) -> None:
    grants = [a_grant() for _ in range(50)]
    places = await come(stand, *grants)
    assert places == sorted(places)
    assert await ahead(stand) == [grant.message_id for grant in grants]
    assert await ahead(stand, after=places[9], most=5, but=(places[11],)) == [
        grants[n].message_id for n in (10, 12, 13, 14, 15)
    ]


async def test_a_batch_that_comes_again_keeps_its_places(stand: Stand) -> None:
    first, second = a_grant(), a_grant()
    [place] = await come(stand, first)
    again = await stand.queue.take_in([a_send(second), a_send(first)])
    assert [one.answer for one in again] == ["waiting", "known"]
    assert await ahead(stand) == [first.message_id, second.message_id]
    assert (await ahead(stand, after=place)) == [second.message_id]


async def test_each_lane_number_and_shard_is_a_line_of_its_own(stand: Stand) -> None:
    care, promo, other = a_grant(), a_grant(lane="promo"), a_grant(number="999")
    await come(stand, care, promo, other)
    assert await ahead(stand) == [care.message_id]
    assert await ahead(stand, lane="promo") == [promo.message_id]
    assert await stand.queue.load(NUMBER, "care", shards={5}, after=0, most=10, but=[]) == []


async def test_what_is_under_way_is_not_read_and_what_is_decided_is_said_to_be(stand: Stand) -> None:
    under_way, done, unsure_care = [await stand.begun() for _ in range(3)]
    await stand.ended(done, Accepted("ref.a"))
    await stand.ended(unsure_care, Unknown("timeout"))
    promo = a_grant(lane="promo")
    await stand.door.book(promo)
    await stand.begun(promo)
    await stand.ended(promo, Unknown("timeout"))
    care_line = await stand.queue.load(NUMBER, "care", shards=SHARDS, after=0, most=10, but=[])
    promo_line = await stand.queue.load(NUMBER, "promo", shards=SHARDS, after=0, most=10, but=[])
    assert [(one.send.message_id, one.is_decided) for one in (*care_line, *promo_line)] == [
        (done.message_id, True)
    ]
    assert (await stand.door.waiting())[promo.message_id] == "ambiguous"
    assert under_way.message_id in await stand.door.waiting()
    assert (await stand.door.waiting())[unsure_care.message_id] == "ambiguous"


async def test_what_is_parked_is_woken_when_its_time_has_come_and_not_before(stand: Stand) -> None:
    soon, later, never = a_grant(), a_grant(), a_grant()
    places = await come(stand, soon, later, never)
    await stand.queue.park(
        [
            Parked(soon.message_id, 0.0, "pair"),
            Parked(later.message_id, 60.0, "pair"),
            Parked(never.message_id, float("inf"), "account"),
        ]
    )
    assert await ahead(stand) == []
    assert await stand.queue.wake("promo", SHARDS) == {}
    assert await stand.queue.wake("care", {5}) == {}
    assert await stand.queue.wake("care", SHARDS) == {NUMBER: places[0]}
    assert await ahead(stand) == [soon.message_id]
    assert await stand.queue.wake("care", SHARDS) == {}


async def test_who_waits_outside_memory_is_not_overtaken_by_their_own(stand: Stand) -> None:
    first, second, other = a_grant(), a_grant(), a_grant()
    same = {"contact_id": first.contact_id}
    second, promo = second.model_copy(update=same), a_grant(lane="promo").model_copy(update=same)
    await come(stand, first)
    await stand.queue.park([Parked(first.message_id, 60.0, "pair")])
    taken = await stand.queue.take_in([a_send(grant) for grant in (second, promo, other)])
    assert [one.parked for one in taken] == [True, False, False]
    assert await ahead(stand) == [other.message_id]


async def test_who_was_kept_behind_their_own_is_not_read_before_these_wake(stand: Stand) -> None:
    first, other, last = a_grant(), a_grant(), a_grant()
    second, promo = (a_grant(lane=lane).model_copy(update={"contact_id": first.contact_id}) for lane in LANES)
    await come(stand, first, second, promo, other)
    await stand.queue.park(
        [Parked(first.message_id, 60.0, "pair"), Parked(other.message_id, 60.0, "unclear")]
    )
    last = last.model_copy(update={"contact_id": other.contact_id})
    await come(stand, last)
    assert await ahead(stand) == [last.message_id]
    assert await ahead(stand, lane="promo") == [promo.message_id]
    await stand.door.hurry()
    await stand.queue.wake("care", SHARDS)
    assert await ahead(stand) == [one.message_id for one in (first, second, other, last)]


@pytest.mark.parametrize("why", ["pair", "order", "media"])
async def test_who_comes_while_their_own_are_being_parked_waits_as_long_as_these(
    stand: Stand, why: str
) -> None:
    first, other = a_grant(), a_grant()
    second = a_grant().model_copy(update={"contact_id": first.contact_id})
    recorder = Recorder(stand.attempts, stand.queue, ListedResults())
    queue = SendQueue(stand.queue, stand.attempts, recorder, shards=all_shards, now=time.monotonic)
    queue.serve(NUMBER)
    running = asyncio.create_task(queue.run())
    await until(lambda: queue.ready)
    await queue.take_in([a_send(first)])
    line = queue.line(NUMBER, "care")
    [taken] = await until(lambda: line.take(1, time.monotonic()))
    queue.park(line.take_out(taken), after_s=60.0, why=why)
    await queue.take_in([a_send(second), a_send(other)])
    await until(stand.door.waiting, lambda waiting: waiting[first.message_id] == why)
    assert [one.message_id for one in line.take(9, time.monotonic())] == [other.message_id]
    await stand.door.hurry()
    assert [(await until(lambda: line.take(9, time.monotonic())))[0].message_id] == [first.message_id]
    assert second.message_id in line
    running.cancel()


async def test_what_is_too_late_is_found_parked_or_not_but_not_under_way(stand: Stand) -> None:
    late, parked, on_time = (a_grant(valid_for=timedelta(seconds=s)) for s in (-1, -2, 60))
    under_way = a_grant()
    await stand.door.book(under_way)
    await stand.begun(under_way)
    await come(stand, late, parked, on_time)
    await stand.queue.park([Parked(parked.message_id, float("inf"), "account")])
    found = await stand.queue.late("care", SHARDS, limit=10)
    assert [send.message_id for send in found] == [parked.message_id, late.message_id]


async def test_what_was_told_is_forgotten_and_a_newer_grant_is_not(stand: Stand) -> None:
    old = a_grant()
    await come(stand, old)
    result = await stand.refused(old, "window_closing")
    assert result is not None
    again = old.model_copy(update={"epoch": 2})
    assert await stand.come(again) == "waiting"
    await stand.queue.forget([result])
    assert list(await stand.door.waiting()) == [old.message_id]
    newer = await stand.refused(again, "window_closing")
    assert newer is not None
    await stand.queue.forget([newer])
    assert await stand.door.waiting() == {}


@pytest.mark.parametrize("woken", [False, True], ids=["parked", "woken"])
async def test_care_that_may_have_arrived_stays_until_it_is_sent_again(stand: Stand, woken: bool) -> None:
    grant = await stand.begun()
    unknown = await stand.ended(grant, Unknown("timeout"))
    assert unknown is not None
    if woken:
        await stand.door.hurry()
        await stand.queue.wake("care", SHARDS)
    await stand.queue.forget([unknown])
    assert list(await stand.door.waiting()) == [grant.message_id]


async def test_promo_that_may_have_arrived_stays_until_that_is_decided_and_nobody_looks_at_it(
    stand: Stand,
) -> None:
    grant = a_grant(lane="promo")
    await stand.door.book(grant)
    await stand.begun(grant)
    unknown = await stand.ended(grant, Unknown("timeout"))
    assert unknown is not None
    await stand.queue.forget([unknown])
    assert await ahead(stand, lane="promo") == []
    assert await stand.door.waiting() == {grant.message_id: "ambiguous"}
    [accepted] = await stand.status(grant, "delivered")
    await stand.queue.forget([unknown])
    assert grant.message_id in await stand.door.waiting(), "what was decided since is not told yet"
    await stand.queue.forget([accepted])
    assert await stand.door.waiting() == {}


async def test_what_may_have_arrived_is_forgotten_when_nothing_will_settle_it(stand: Stand) -> None:
    grant = a_grant(lane="promo", valid_for=timedelta(seconds=-1))
    await stand.come(grant)
    await stand.door.book(grant.model_copy(update={"valid_until": grant.not_before + timedelta(hours=1)}))
    assert (await stand.begin(grant)).outcome == "begun"
    unknown = await stand.ended(grant, Unknown("timeout"))
    assert unknown is not None
    assert await stand.queue.late("promo", SHARDS, limit=10) == []
    await stand.queue.forget([unknown])
    assert grant.message_id in await stand.door.waiting()
    await stand.age(grant, timedelta(hours=2))
    [unsettled] = await stand.attempts.unsettled(older_than=timedelta(hours=1), limit=10)
    [late] = await stand.queue.late("promo", SHARDS, limit=10)
    assert late.message_id == grant.message_id, "also when nobody has told it"
    await stand.queue.forget([unsettled])
    assert await stand.door.waiting() == {}
