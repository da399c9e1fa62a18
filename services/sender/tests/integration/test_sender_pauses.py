"""What answers pause: nothing of it leaves, others go on, one message finds out when it is over."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from garbo.common.events.grants import SendGranted
from garbo.sender.domain.pauses import PauseOrder, ResumeOrder
from garbo.sender.outbound.postgres_pauses import PostgresPauses
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, OTHER_NUMBER, WABA, a_grant, a_status
from services.sender.tests.support.graph import FakeGraph, Reply, error_reply
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender, a_sender, only

pytestmark = pytest.mark.integration

RATES = {NUMBER: 400.0, OTHER_NUMBER: 400.0}


async def booked(database: SenderDatabase, *grants: SendGranted) -> Sequence[SendGranted]:
    await database.book(*grants)
    return grants


def posts_of(graph: FakeGraph, number: str = NUMBER) -> int:
    return sum(f"/{number}/" in path for path in graph.paths)


async def refused(sender: Sender, database: SenderDatabase, graph: FakeGraph, reply: Reply) -> SendGranted:
    """Let one message of the number be refused, and the pause be in the database."""
    graph.refusing[NUMBER] = reply
    [first] = await booked(database, a_grant())
    await sender.take(first)
    await until(lambda: any(one.source == "code" for one in sender.figures.in_force), within_s=10)
    return first


OF_THE_NUMBER = {
    **{str(code): error_reply(code) for code in (190, 0, 3, 10, 200, 33, 131005, 131037, 133006, 133010)},
    "131045": error_reply(131045, status=500),
    "401": Reply(status=401, body=b"<html>"),
    "403": Reply(status=403, body=b"{}"),
}


@pytest.mark.parametrize("reply", OF_THE_NUMBER.values(), ids=OF_THE_NUMBER.keys())
async def test_a_number_that_may_not_send_stops_until_one_message_is_accepted(
    sender_database: SenderDatabase, graph: FakeGraph, reply: Reply
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES) as sender:
        first = await refused(sender, sender_database, graph, reply)
        waiting = await booked(sender_database, *(a_grant() for _ in range(5)), a_grant(lane="promo"))
        others = await booked(sender_database, *(a_grant(number=OTHER_NUMBER) for _ in range(20)))
        await sender.take(*waiting)
        await sender.send(*others)
        assert posts_of(graph) == 1
        await sender_database.hurry_probe()
        await until(lambda: posts_of(graph) == 2, within_s=10)
        await sender.send(*await booked(sender_database, *(a_grant(number=OTHER_NUMBER) for _ in range(5))))
        assert posts_of(graph) == 2
        del graph.refusing[NUMBER]
        await sender_database.hurry_probe()
        everything = [first, *waiting]
        await until(lambda: all(sender.published(grant) for grant in everything), within_s=10)
    assert {r.outcome for grant in everything for r in sender.published(grant)} == {"accepted"}
    [(scope, source, _, ended_by)] = await sender_database.pauses()
    assert (scope, source, ended_by) == ("number", "code", "accepted")


async def test_a_probe_is_one_message_and_of_care_if_there_is_any(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES) as sender:
        first = await refused(sender, sender_database, graph, error_reply(190))
        promos = await booked(sender_database, *(a_grant(lane="promo") for _ in range(5)))
        await sender.take(*promos)
        await sender_database.hurry_probe()
        await until(lambda: posts_of(graph) == 2, within_s=10)
        assert graph.asked(f"{first.message_id}.2") == 1


async def test_of_two_processes_one_may_probe_and_the_next_waits_longer(
    sender_database: SenderDatabase,
) -> None:
    switches = PostgresPauses(sender_database.database)
    await switches.order([PauseOrder("number", NUMBER, "code", "token_expired", "190")])
    assert not await switches.take_probe(NUMBER, account=WABA)
    waits = []
    for _ in range(7):
        await sender_database.hurry_probe()
        may = await asyncio.gather(*(switches.take_probe(NUMBER, account=WABA) for _ in range(4)))
        assert sorted(may) == [False, False, False, True]
        [pause] = await switches.in_force()
        waits.append(round(pause.probe_in_s or 0))
    assert waits == [30, 60, 120, 240, 300, 300, 300]


@pytest.mark.parametrize(
    "order",
    [
        PauseOrder("number", NUMBER, "operator", "maintenance", "ops"),
        PauseOrder("account", WABA, "platform", "account_disabled", "account_update"),
    ],
    ids=["operator", "account"],
)
async def test_what_somebody_else_paused_is_not_probed(
    sender_database: SenderDatabase, order: PauseOrder
) -> None:
    switches = PostgresPauses(sender_database.database)
    await switches.order([PauseOrder("number", NUMBER, "code", "token_expired", "190"), order])
    await sender_database.hurry_probe()
    assert not await switches.take_probe(NUMBER, account=WABA)


@pytest.mark.parametrize("code", [131031, 368, 131042], ids=str)
async def test_an_account_that_is_locked_stops_all_its_numbers_and_is_never_probed(
    sender_database: SenderDatabase, graph: FakeGraph, code: int
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES) as sender:
        first = await refused(sender, sender_database, graph, error_reply(code, status=403))
        [other] = await booked(sender_database, a_grant(number=OTHER_NUMBER))
        await sender.take(other)
        await sender_database.hurry_probe()
        for _ in range(3):
            await sender.pauses.look_once()
        assert len(graph.posts) == 1
        del graph.refusing[NUMBER]
        await sender.pauses.order([ResumeOrder("account", WABA, ("code", "platform", "operator"), "ops")])
        await until(lambda: all(map(sender.published, (first, other))), within_s=10)
    assert {r.outcome for r in sender.results.published} == {"accepted"}


async def test_the_spam_limit_stops_promo_for_six_hours_and_care_goes_on(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES) as sender:
        graph.script.append(error_reply(131048))
        first, second = await booked(sender_database, a_grant(lane="promo"), a_grant(lane="promo"))
        await sender.take(first)
        await until(lambda: bool(sender.figures.in_force), within_s=10)
        await sender.take(second)
        care = await booked(sender_database, a_grant())
        elsewhere = await booked(sender_database, a_grant(lane="promo", number=OTHER_NUMBER))
        await sender.send(*care, *elsewhere)
        assert not sender.published(first)
        assert not sender.published(second)
    [pause] = sender.figures.in_force
    assert pause.until is not None
    assert (pause.scope, pause.name) == ("promo", NUMBER)
    left = pause.until - datetime.now(UTC)
    assert timedelta(hours=5, minutes=59) < left <= timedelta(hours=6)


@pytest.mark.parametrize("code", [132015, 132016, 132001, 132007], ids=str)
async def test_a_template_that_is_paused_waits_outside_memory_and_delays_nobody(
    sender_database: SenderDatabase, graph: FakeGraph, code: int
) -> None:
    async with a_sender(sender_database, graph.url) as sender:
        graph.script.append(error_reply(code))
        [first] = await booked(sender_database, a_grant(template="sale"))
        await sender.send(first)
        [result] = sender.published(first)
        assert (result.outcome, result.code) == ("failed", code)
        await until(lambda: bool(sender.figures.in_force), within_s=10)
        person = uuid4()
        held = [a_grant(template="sale", contact_id=person) for _ in range(3)]
        after = [a_grant(contact_id=person), a_grant(template="other")]
        await booked(sender_database, *held, *after)
        await sender.take(*held)
        await sender.send(*after)
        why = f"pause:template:{WABA}:sale:it"
        parked = dict.fromkeys((one.message_id for one in held), why)
        await until(sender_database.waiting, lambda waiting: waiting == parked)
        await sender.pauses.order([ResumeOrder("template", f"{WABA}:sale:it", ("code",), "test")])
        await until(lambda: all(map(sender.published, held)), within_s=10)
    order = [post["biz_opaque_callback_data"] for post in graph.posts[-3:]]
    assert order == [f"{one.message_id}.1" for one in held]


async def test_templates_that_are_locked_stop_all_templates_of_the_account_and_nothing_else(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url) as sender:
        graph.script.append(error_reply(131064))
        [first] = await booked(sender_database, a_grant(template="sale"))
        await sender.send(first)
        await until(lambda: bool(sender.figures.in_force), within_s=10)
        other, text = await booked(sender_database, a_grant(template="other"), a_grant())
        await sender.take(other)
        await sender.send(text)
        parked = {other.message_id: f"pause:template:{WABA}:*:*"}
        await until(sender_database.waiting, lambda waiting: waiting == parked)


async def test_a_status_of_late_pauses_as_an_answer_does_and_an_old_one_does_not(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url) as sender:
        now = datetime.now(UTC)
        old = a_status(None, "failed", code=131031, at=now - timedelta(hours=1))
        sender.pauses.note_statuses([old, a_status(None, "delivered"), a_status(None, "failed", code=131026)])
        await sender.pauses.look_once()
        assert not sender.pauses.stops(NUMBER, "care")
        sender.pauses.note_statuses([a_status(None, "failed", code=131031)])
        assert sender.pauses.stops(NUMBER, "care")
        await until(lambda: bool(sender.figures.in_force), within_s=10)
    assert [one.scope for one in sender.figures.in_force] == ["account"]


async def test_another_process_and_one_that_starts_see_what_is_paused(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    mine, others = only(0, 1, 2, 3, 4, 5), only(6, 7, 8, 9, 10, 11)
    async with (
        a_sender(sender_database, graph.url, shards=mine) as one,
        a_sender(sender_database, graph.url, shards=others) as two,
    ):
        await refused(one, sender_database, graph, error_reply(190))
        await until(lambda: two.pauses.stops(NUMBER, "care"), within_s=10)
        [grant] = await booked(sender_database, a_grant())
        await two.take(grant, shard=6)
    async with a_sender(sender_database, graph.url) as third:
        await until(lambda: third.pauses.ready, within_s=10)
        for _ in range(3):
            await third.pauses.look_once()
        assert posts_of(graph) == 1
        del graph.refusing[NUMBER]
        await sender_database.hurry_probe()
        await until(lambda: bool(third.published(grant)), within_s=10)
    told = [(change.change, change.by) for run in (one, two, third) for change in run.news.told]
    assert sorted(told) == [("paused", "190"), ("resumed", "accepted")]


@pytest.mark.parametrize(("code", "slowed"), [(80007, 2), (4, 2), (130429, 1), (613, 1)], ids=str)
async def test_a_throttled_account_slows_all_its_numbers_and_pauses_none(
    sender_database: SenderDatabase, graph: FakeGraph, code: int, slowed: int
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES) as sender:
        grants = await booked(sender_database, a_grant(), a_grant(number=OTHER_NUMBER))
        await sender.send(*grants)
        graph.script.append(error_reply(code, status=429))
        [again] = await booked(sender_database, a_grant())
        await sender.send(again)
        async with sender_database.database.connection() as connection:
            rates = await connection.fetch("SELECT rate FROM sender.number_rate WHERE rate <= 200")
        assert len(rates) == slowed
        assert await sender.pauses.in_force() == []
    assert [r.outcome for r in sender.published(again)] == ["accepted"]
