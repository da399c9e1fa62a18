"""An erased person is forgotten by analytics, and what is past its keep is deleted, in bounded rounds."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from garbo.analytics.domain.observe import observe
from garbo.analytics.flow import Forget
from garbo.analytics.inbound.http.message_views import story_view
from garbo.analytics.outbound.postgres_facts import PostgresFacts
from garbo.analytics.outbound.postgres_memories import PostgresMemories
from garbo.analytics.outbound.postgres_queries import PostgresFactQueries
from garbo.common.events.base import Event
from garbo.common.events.erasure import ContactErased
from garbo.common.runtime.postgres import Database
from services.analytics.tests.support.journeys import Journey
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration

TABLES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = 'analytics' AND table_name <> 'erased'
"""
COUNTED = ("fact", "inbound", "foreign_status", "engagement", "funnel_minute")


@pytest.fixture
async def database(postgres: SharedPostgres) -> AsyncIterator[Database]:
    database = Database(postgres.database("analytics"), service="analytics", size=4)
    await database.start()
    yield database
    await database.stop()


def whole(one: Journey) -> list[Event]:
    return [
        one.requested(),
        one.allowed(),
        one.result("accepted"),
        one.status("delivered"),
        *one.answered(),
        one.stopped(),
        one.status("sent", ours=False),
    ]


def erased(one: Journey) -> ContactErased:
    return ContactErased(contact_id=one.contact_id, erased_at=datetime.now(UTC))


async def told(database: Database) -> str:
    async with database.connection() as connection:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        rows = [r[0] for t in tables for r in await connection.fetch(f"SELECT t::text FROM analytics.{t} t")]
    return "\n".join(rows)


async def counted(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        return {t: await connection.fetchval(f"SELECT count(*) FROM analytics.{t}") for t in COUNTED}


@pytest.mark.parametrize("split", range(8), ids=lambda split: f"erased_after_{split}_records")
async def test_nothing_names_the_person_whenever_the_news_comes_and_no_count_changes(
    database: Database, split: int
) -> None:
    now = datetime.now(UTC)
    gone, other = Journey(begun_at=now), Journey(begun_at=now)
    facts, queries = PostgresFacts(database), PostgresFactQueries(database)
    forget = Forget(PostgresMemories(database), timedelta(days=90))
    events = whole(gone)
    await facts.upsert(observe([*whole(other), *events[:split]]))
    await forget.obey([erased(gone)])
    assert str(gone.contact_id) not in await told(database)
    await facts.upsert(observe(events[split:]))
    before = await queries.totals()
    await forget.tidy()
    await facts.upsert(observe(events))
    await forget.tidy()
    everything = await told(database)
    assert str(gone.contact_id) not in everything
    assert everything.count(str(other.contact_id)) == 3, "fact, message and reaction of somebody else"
    assert await queries.totals() == before
    (fact,) = await queries.messages_of(gone.request_id, None)
    assert story_view(fact, with_ref=True)["contact_id"] is None


async def test_what_is_past_its_keep_is_deleted_so_many_at_once_and_totals_stay(database: Database) -> None:
    now = datetime.now(UTC)
    old = [Journey(begun_at=now - timedelta(days=91, minutes=n)) for n in range(5)]
    facts, queries = PostgresFacts(database), PostgresFactQueries(database)
    memories = PostgresMemories(database)
    for one in old:
        await facts.upsert(observe(whole(one)))
    totals = await queries.totals()
    await facts.upsert(observe(whole(Journey(begun_at=now))))
    assert (await counted(database))["fact"] == 6
    rounds = 0
    while await memories.drop_old(keep=timedelta(days=90), limit=2):
        rounds += 1
    assert rounds > 2
    left = await counted(database)
    assert (left["fact"], left["inbound"], left["foreign_status"]) == (1, 1, 1)
    assert left["engagement"] == 1
    async with database.connection() as connection:
        oldest = await connection.fetchval("SELECT min(minute) FROM analytics.funnel_minute")
    assert now - oldest < timedelta(days=90)
    after = await queries.totals()
    assert all(after[step] >= count for step, count in totals.items())
