"""One suite, two stores: the fake must do what PostgreSQL does."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import orjson
import pytest

from garbo.analytics.domain.funnel import MINUTE, Counts
from garbo.analytics.domain.observe import Observed, observe
from garbo.analytics.outbound.postgres_facts import PostgresFacts
from garbo.analytics.outbound.postgres_queries import PostgresFactQueries
from garbo.analytics.ports import FactQueries, FactStore, Filter
from garbo.common.events.base import Event
from garbo.common.runtime.postgres import Database
from services.analytics.tests.support.fakes import FakeFacts
from services.analytics.tests.support.journeys import NOON, Journey

pytestmark = pytest.mark.integration

SPAN = {"since": NOON.replace(second=0), "until": NOON.replace(second=0) + timedelta(minutes=20)}


class Postgres(Protocol):
    def database(self, *services: str) -> str: ...


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    database = Database(postgres.database("analytics"), service="analytics", size=4)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def stores(database: Database) -> list[tuple[FactStore, FactQueries]]:
    fake = FakeFacts()
    return [(fake, fake), (PostgresFacts(database), PostgresFactQueries(database))]


def a_morning(count: int) -> list[Event]:
    events: list[Event] = []
    for n in range(count):
        one = Journey(begun_at=NOON + timedelta(seconds=20 * n), purpose="care" if n % 3 == 0 else "promo")
        events.append(one.requested())
        if n % 6 == 5:
            events.append(one.put_off("quiet", until=60))
            events.append(one.allowed(after=60, sequence=2).model_copy(update={"overridden": ("a", "b")}))
            continue
        if n % 6 == 3:
            events += [one.allowed(), one.put_off("case_open", until=60, after=9, sequence=2)]
            continue
        if n % 4 == 1:
            events.append(one.held_by_cap())
            continue
        events += [one.allowed(), one.result("accepted"), one.status("delivered"), one.status("read")]
        if n % 5 == 0:
            events += [*one.answered(), one.stopped(), one.status("sent", ours=False)]
        if n % 7 == 0:
            events += [one.result("unknown", possible_duplicate=True), one.status("failed", code=131049)]
    return events


def without_zeros(counts: Counts) -> dict[tuple[str, str], int]:
    return {step: count for step, count in counts.items() if count}


async def all_answers(queries: FactQueries) -> list[object]:
    funnels = [
        await queries.funnel(**SPAN, lane=lane, width=MINUTE * width)
        for lane, width in ((None, 1), ("promo", 3), ("care", 7))
    ]
    lists = [
        list(await queries.latest(wanted))
        for wanted in (Filter(limit=200), Filter(limit=3, lane="care"), Filter(verdicts=("deny", "defer")))
    ]
    shown = [(without_zeros(f.counts), {k: n for k, n in f.points.items() if n}) for f in funnels]
    return [without_zeros(await queries.totals()), shown, lists]


@pytest.mark.parametrize("seed", range(3))
async def test_fake_and_postgres_agree_in_any_order(
    stores: list[tuple[FactStore, FactQueries]], seed: int
) -> None:
    events = a_morning(40)
    dice = random.Random(seed)
    events += dice.choices(events, k=60)
    dice.shuffle(events)
    answers = []
    for store, queries in stores:
        for start in range(0, len(events), 37):
            await store.upsert(observe(events[start : start + 37]))
        answers.append(await all_answers(queries))
    assert answers[0] == answers[1]


async def test_replay_changes_nothing(stores: list[tuple[FactStore, FactQueries]]) -> None:
    events = a_morning(30)
    for store, queries in stores:
        await store.upsert(observe(events))
        before = await all_answers(queries)
        for event in reversed(events):
            await store.upsert(observe([event]))
        assert await all_answers(queries) == before


async def test_message_is_found_by_request_and_client(stores: list[tuple[FactStore, FactQueries]]) -> None:
    one, other = Journey(request_id=UUID(int=5)), Journey(request_id=UUID(int=5), client="crm")
    for store, queries in stores:
        await store.upsert(observe([one.requested(), other.requested()]))
        found = await queries.messages_of(one.request_id, None)
        assert [fact.client for fact in found] == ["crm", "shop"]
        assert [f.message_id for f in await queries.messages_of(one.request_id, "shop")] == [one.message_id]
        assert await queries.messages_of(UUID(int=6), None) == []


async def test_empty_batch_is_no_work(stores: list[tuple[FactStore, FactQueries]]) -> None:
    for store, queries in stores:
        await store.upsert(Observed())
        assert await queries.totals() == {}


async def test_writers_at_the_same_time_count_each_message_once(
    stores: list[tuple[FactStore, FactQueries]],
) -> None:
    (fake, expected), (store, queries) = stores
    events = a_morning(60)
    await fake.upsert(observe(events))

    async def write(seed: int) -> None:
        mine = events.copy()
        random.Random(seed).shuffle(mine)
        for start in range(0, len(mine), 25):
            await store.upsert(observe(mine[start : start + 25]))

    async with asyncio.timeout(60), asyncio.TaskGroup() as writers:
        for seed in range(4):
            writers.create_task(write(seed))
    assert await all_answers(queries) == await all_answers(expected)


@pytest.mark.parametrize("odd", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_fact_with_an_instant_beyond_the_calendar_is_kept_and_read_again(
    database: Database, odd: str
) -> None:
    one, facts = Journey(begun_at=NOON, purpose="promo"), PostgresFacts(database)
    told = [one.requested(), one.allowed(), one.result("accepted"), one.status("delivered")]
    written = [type(event).model_validate_json(_with_instants(event, odd)) for event in told]
    await facts.upsert(observe(written))
    await facts.upsert(observe(written))
    await facts.upsert(observe(told))


def _with_instants(event: Event, odd: str) -> str:
    said = event.model_dump(mode="json")
    return orjson.dumps(
        {name: odd if name.endswith("_at") and at else at for name, at in said.items()}
    ).decode()
