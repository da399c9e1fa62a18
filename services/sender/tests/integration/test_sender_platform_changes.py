"""What the platform tells, and what operators order: paused, resumed, told once, and kept for all."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from garbo.sender.domain.pauses import PauseOrder, ResumeOrder
from garbo.sender.outbound.postgres_pauses import PostgresPauses
from garbo.sender.outbound.postgres_queue import PostgresQueue
from garbo.sender.ports.queue import Parked
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import (
    NUMBER,
    OTHER_NUMBER,
    WABA,
    a_change,
    a_grant,
    a_send,
    a_template_change,
)
from services.sender.tests.support.graph import FakeGraph
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender, a_sender

pytestmark = pytest.mark.integration

SALE = f"{WABA}:sale:it"


async def test_a_template_the_platform_pauses_waits_until_it_is_approved_again(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    await sender.platform.obey([a_template_change("PAUSED", "sale", title="FIRST_PAUSE")])
    held, other = a_grant(lane="promo", template="sale"), a_grant(lane="promo", template="other")
    await sender_database.book(held, other)
    await sender.take(held)
    await sender.send(other)
    assert len(graph.posts) == 1
    await sender.platform.obey([a_template_change("APPROVED", "sale", title="UNPAUSE")])
    await until(lambda: bool(sender.published(held)), within_s=10)
    assert sender.published(held)[0].outcome == "accepted"


async def test_what_waits_behind_a_pause_keeps_its_deadline(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    await sender.platform.obey([a_template_change("PAUSED", "sale")])
    await sender.pauses.order([PauseOrder("promo", NUMBER, "operator", "quiet", "ops")])
    parked = a_grant(template="sale", valid_for=timedelta(seconds=1.5))
    stopped = a_grant(lane="promo", valid_for=timedelta(seconds=1.5))
    await sender_database.book(parked, stopped)
    await sender.send(parked, stopped)
    told = [(r.outcome, r.reason) for grant in (parked, stopped) for r in sender.published(grant)]
    assert told == [("not_sent", "lease_expired")] * 2
    assert graph.posts == []


async def test_an_operator_pauses_a_campaign_and_only_that(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    await sender.pauses.order([PauseOrder("campaign", "acme:summer", "operator", "complaints", "ops")])
    held = a_grant(lane="promo", campaign="summer")
    others = [a_grant(lane="promo", campaign="winter"), a_grant(lane="promo"), a_grant(campaign=None)]
    await sender_database.book(held, *others)
    await sender.take(held)
    await sender.send(*others)
    await sender.pauses.order([ResumeOrder("campaign", "acme:summer", ("operator",), "ops")])
    await until(lambda: bool(sender.published(held)), within_s=10)
    assert len(graph.posts) == 4


async def test_what_was_begun_and_has_not_left_is_given_back_when_its_number_is_paused(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    def sent() -> int:
        return sum(f"/{NUMBER}/" in path for path in graph.paths)

    async with a_sender(sender_database, graph.url, rates={NUMBER: 40, OTHER_NUMBER: 40}) as sender:
        grants = [a_grant() for _ in range(40)]
        others = [a_grant(number=OTHER_NUMBER) for _ in range(20)]
        await sender_database.book(*grants, *others)
        await sender.take(*grants)
        await until(lambda: sent() >= 10, within_s=10)
        await sender.pauses.order([PauseOrder("number", NUMBER, "operator", "stop", "ops")])
        before = sent()
        await sender.send(*others)
        assert sent() <= before + 1, "one may have been on its way"
        await sender.pauses.order([ResumeOrder("number", NUMBER, ("operator",), "ops")])
        await until(lambda: all(map(sender.published, grants)), within_s=15)
    assert sent() == len(grants)


async def test_an_operators_pause_is_not_lifted_by_the_platform_nor_by_time_of_another(
    sender: Sender, sender_database: SenderDatabase
) -> None:
    order = PauseOrder("template", SALE, "operator", "complaints", "ops")
    await sender.pauses.order([order])
    await sender.platform.obey([a_template_change("PAUSED", "sale"), a_template_change("APPROVED", "sale")])
    assert sender.pauses.parks(a_send(a_grant(template="sale"))) == f"pause:template:{SALE}"
    kept = {source: ended for _, source, _, ended in await sender_database.pauses()}
    assert kept == {"operator": None, "platform": "message_template_status_update"}


async def test_a_word_that_comes_again_or_late_changes_nothing(
    sender: Sender, sender_database: SenderDatabase
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    paused = a_template_change("PAUSED", "sale").model_copy(update={"occurred_at": at})
    approved = a_template_change("APPROVED", "sale")
    await sender.platform.obey([paused, paused, approved, paused, approved])
    assert await sender.pauses.in_force() == []
    assert len(await sender_database.pauses()) == 1


async def test_a_pause_ends_with_its_time(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    until_at = datetime.now(UTC) + timedelta(seconds=1.5)
    await sender.pauses.order([PauseOrder("template", SALE, "operator", "wait", "ops", until=until_at)])
    grant = a_grant(template="sale")
    await sender_database.book(grant)
    await sender.send(grant)
    assert sender.published(grant)[0].outcome == "accepted"
    assert datetime.now(UTC) > until_at
    assert (await sender_database.pauses())[0][3] == "time"
    await until(lambda: len(sender.news.told) == 2, within_s=10)
    first, second = sender.news.told
    assert (first.change, first.by, first.until) == ("paused", "ops", until_at)
    assert (second.change, second.by, second.changed_at) == ("resumed", "time", until_at)


async def test_what_is_parked_for_a_pause_that_ended_meanwhile_goes_on(
    sender: Sender, sender_database: SenderDatabase
) -> None:
    grant = a_grant(template="sale")
    await sender_database.book(grant)
    queue = PostgresQueue(sender_database.database)
    [taken] = await queue.take_in([a_send(grant)])
    await queue.park([Parked(taken.send.message_id, float("inf"), f"pause:template:{SALE}")])
    await until(lambda: bool(sender.published(grant)), within_s=10)


async def test_many_go_on_in_their_order(sender_database: SenderDatabase) -> None:
    queue, switches = PostgresQueue(sender_database.database), PostgresPauses(sender_database.database)
    order = PauseOrder("template", SALE, "operator", "wait", "ops")
    await switches.order([order, PauseOrder("campaign", "acme:x", "operator", "wait", "ops")])
    sends = [a_send(a_grant(template="sale")) for _ in range(30)]
    other = a_send(a_grant(campaign="x"))
    await queue.take_in([*sends, other])
    why = f"pause:template:{SALE}"
    await queue.park([Parked(one.message_id, float("inf"), why) for one in reversed(sends)])
    await queue.park([Parked(other.message_id, float("inf"), "pause:campaign:acme:x")])
    assert await switches.parked_counts() == {"pause_template": 30, "pause_campaign": 1}
    await switches.end_due()
    assert await switches.parked_counts() == {"pause_template": 30, "pause_campaign": 1}
    await switches.order([ResumeOrder("template", SALE, ("operator",), "ops")])
    await switches.end_due()
    async with sender_database.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT message_id FROM sender.waiting WHERE parked_until < 'infinity' ORDER BY parked_until"
        )
    assert [row["message_id"] for row in rows] == [one.message_id for one in sends]


async def test_care_with_a_template_that_sells_now_is_not_sent_as_care(
    sender: Sender, graph: FakeGraph, sender_database: SenderDatabase
) -> None:
    named = {"message_template_name": "sale", "message_template_language": "it"}
    categories = {"previous_category": "UTILITY", "new_category": "MARKETING"}
    change = a_change("template_category_update", named | categories)
    await sender.platform.obey([change])
    await until(lambda: sender.pauses.refuses(a_send(a_grant(template="sale"))) is not None, within_s=10)
    care, promo, text = a_grant(template="sale"), a_grant(lane="promo", template="sale"), a_grant()
    await sender_database.book(care, promo, text)
    await sender.send(care, promo, text)
    [result] = sender.published(care)
    assert (result.outcome, result.reason) == ("not_sent", "template_recategorised")
    assert len(graph.posts) == 2
    later = a_send(a_grant(template="sale", now=datetime.now(UTC) + timedelta(seconds=5)))
    assert sender.pauses.refuses(later) is None


async def test_each_change_is_told_once_by_whichever_process(sender_database: SenderDatabase) -> None:
    switches = PostgresPauses(sender_database.database)
    await switches.order([PauseOrder("campaign", f"acme:{n}", "operator", "wait", "ops") for n in range(20)])
    taken = await asyncio.gather(*(switches.take_untold() for _ in range(4)))
    claimed = [one for some in taken for one in some]
    assert len({place for place, _, _ in claimed}) == len(claimed) == 20
    [(place, at, change), *others] = claimed
    await switches.order([ResumeOrder("campaign", change.name, ("operator",), "ops")])
    await switches.told([(place, at)] + [(other, claim) for other, claim, _ in others])
    again = [news for _, _, news in await switches.take_untold()]
    assert [(news.change, news.name) for news in again][-1] == ("resumed", change.name)
    assert await switches.take_untold() == []
