"""A portfolio writes first to so many people in 24 h: exactly, by all its numbers and processes together."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.sender.domain.portfolios import HELD_FOR, ListedPortfolios, PeopleLimit
from garbo.sender.flow.erasure import Forget
from garbo.sender.outbound.postgres_memories import PostgresMemories
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, OTHER_NUMBER, WABA, a_change, a_grant
from services.sender.tests.support.graph import FakeGraph, error_reply
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import Sender, a_sender, only

pytestmark = pytest.mark.integration

RATES = {NUMBER: 400.0, OTHER_NUMBER: 400.0}
PORTFOLIO = "acme"
A_DAY = HELD_FOR + timedelta(seconds=1)


def limited(most: int | None) -> ListedPortfolios:
    """Let both numbers be of one portfolio."""
    return ListedPortfolios(
        of_number=dict.fromkeys(RATES, PORTFOLIO),
        of_account={WABA: PORTFOLIO},
        limits={PORTFOLIO: PeopleLimit(most)},
    )


def templates(
    count: int, *, lane: Lane = "care", number: str = NUMBER, contact_id: UUID | None = None
) -> list[SendGranted]:
    return [a_grant(lane=lane, number=number, template="hi", contact_id=contact_id) for _ in range(count)]


async def take(sender: Sender, database: SenderDatabase, grants: Sequence[SendGranted]) -> None:
    await database.book(*grants)
    await sender.take(*grants)


async def placeless(database: SenderDatabase, count: int) -> None:
    """Wait until so many messages wait for a place."""

    async def seen() -> bool:
        whys = (await database.waiting()).values()
        return sum(why == f"portfolio:{PORTFOLIO}" for why in whys) == count

    await until(seen, within_s=10)


async def pass_time(database: SenderDatabase, by: timedelta) -> None:
    async with database.database.connection() as connection:
        await connection.execute("UPDATE sender.reached SET reached_at = reached_at - $1::interval", by)


async def count_of(database: SenderDatabase) -> tuple[int, int]:
    """Give the count that is kept, and count."""
    async with database.database.connection() as connection:
        kept = await connection.fetchval("SELECT coalesce(sum(people), 0) FROM sender.portfolio")
        counted = await connection.fetchval("SELECT count(*) FROM sender.reached")
    return kept, counted


async def test_promo_leaves_a_tenth_to_care_and_care_fills_the_limit(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(20)) as sender:
        await take(sender, sender_database, templates(40, lane="promo"))
        await placeless(sender_database, 22)
        await until(lambda: len(graph.posts) == 18)
        await take(sender, sender_database, templates(5))
        await placeless(sender_database, 25)
        await until(lambda: len(graph.posts) == 20)
    assert await count_of(sender_database) == (20, 20)


async def test_who_has_a_place_and_what_answers_a_customer_and_groups_are_sent_all_the_same(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    known = uuid4()
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(1)) as sender:
        await take(sender, sender_database, templates(1, contact_id=known))
        await until(lambda: len(graph.posts) == 1)
        answers = [
            *templates(3, contact_id=known),
            *templates(1, number=OTHER_NUMBER, contact_id=known),
            a_grant(window_for=timedelta(hours=1)),
            a_grant(window_for=timedelta(hours=1), template="hi"),
            a_grant(to=Recipient(group_id="group-1"), template="hi"),
        ]
        closing = a_grant(window_for=timedelta(seconds=1), template="hi")
        await take(sender, sender_database, [*answers, closing])
        await until(lambda: len(graph.posts) == 1 + len(answers))
        await placeless(sender_database, 1)
        assert not sender.published(closing)


async def test_two_processes_and_two_numbers_share_the_limit(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with (
        a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(50), shards=only(0)) as one,
        a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(50), shards=only(1)) as two,
    ):
        for shard, (sender, number) in enumerate(((one, NUMBER), (two, OTHER_NUMBER))):
            grants = templates(60, number=number)
            await sender_database.book(*grants)
            await sender.take(*grants, shard=shard)
        await placeless(sender_database, 70)
        await until(lambda: len(graph.posts) == 50)
    assert await count_of(sender_database) == (50, 50)


async def test_what_is_refused_gives_its_place_to_the_next(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    graph.script = [error_reply(131026)] * 3
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(5)) as sender:
        await take(sender, sender_database, templates(10))
        await until(lambda: len(graph.posts) == 8, within_s=10)
        await placeless(sender_database, 2)
        assert await count_of(sender_database) == (5, 5)
        assert len(graph.posts) == 8


async def test_what_may_have_arrived_keeps_its_place(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(2)) as sender:
        graph.refusing[NUMBER] = error_reply(131000, status=500)
        await take(sender, sender_database, templates(3))
        await placeless(sender_database, 1)
        await sender.sending.dispatch.stop()
    assert await count_of(sender_database) == (2, 2)


async def test_after_a_day_those_who_wait_go_care_first(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(10)) as sender:
        await take(sender, sender_database, templates(10))
        await until(lambda: len(graph.posts) == 10)
        promos, cares = templates(20, lane="promo"), templates(8)
        await take(sender, sender_database, promos)
        await take(sender, sender_database, cares)
        await placeless(sender_database, 28)
        await pass_time(sender_database, A_DAY)
        await until(lambda: all(sender.published(care) for care in cares), within_s=10)
        await until(lambda: len(graph.posts) == 19, within_s=10)
        await placeless(sender_database, 19)
    assert await count_of(sender_database) == (9, 9), "a tenth is left to care"


async def test_the_platform_raises_lowers_and_lifts_the_limit(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    at = datetime.now(UTC).replace(microsecond=0)

    async def tell(limit: object, *, seconds: int) -> None:
        value = {"max_daily_conversations_per_business": limit}
        change = a_change("business_capability_update", value, at=at + timedelta(seconds=seconds))
        await sender.platform.obey([change, change])

    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(3)) as sender:
        await take(sender, sender_database, templates(300))
        await placeless(sender_database, 297)
        await tell("TIER_250", seconds=2)
        await placeless(sender_database, 50)
        await tell("TIER_UNLIMITED", seconds=1)
        await tell("a new word", seconds=3)
        await until(lambda: sender.people.limits.get(PORTFOLIO) == 250)
        await until(lambda: len(graph.posts) == 250)
        await tell(-1, seconds=4)
        await until(lambda: len(graph.posts) == 300, within_s=10)
        await tell(2000, seconds=5)
        await until(lambda: sender.people.limits.get(PORTFOLIO) == 2000)
        assert sender.people.counts[PORTFOLIO] == 250, "what is not limited is not counted"


async def test_what_waits_for_a_place_ends_with_its_deadline(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(1)) as sender:
        await take(sender, sender_database, templates(1))
        await until(lambda: len(graph.posts) == 1)
        late = a_grant(template="hi", valid_for=timedelta(seconds=2))
        await take(sender, sender_database, [late])
        await until(lambda: bool(sender.published(late)), within_s=10)
        [result] = sender.published(late)
    assert (result.outcome, result.reason) == ("not_sent", "lease_expired")


async def test_a_portfolio_that_is_listed_no_more_lets_go_what_waits(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    grants = templates(3)
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(1)) as sender:
        await take(sender, sender_database, grants)
        await placeless(sender_database, 2)
    async with a_sender(sender_database, graph.url, rates=RATES):
        await until(lambda: len(graph.posts) == 3, within_s=10)


async def test_an_erased_person_keeps_a_place_that_is_nobodys(
    sender_database: SenderDatabase, graph: FakeGraph
) -> None:
    person = uuid4()
    async with a_sender(sender_database, graph.url, rates=RATES, portfolios=limited(2)) as sender:
        await take(sender, sender_database, templates(1, contact_id=person))
        await until(lambda: len(graph.posts) == 1)
    memories = PostgresMemories(sender_database.database)
    await memories.forget([person])
    assert await count_of(sender_database) == (1, 1)
    async with sender_database.database.connection() as connection:
        assert not await connection.fetchval(
            "SELECT count(*) FROM sender.reached WHERE contact_id = $1", person
        )
    assert isinstance(Forget(memories, timedelta(days=1)), Forget)


async def test_the_count_is_that_of_the_people_whatever_happens(sender_database: SenderDatabase) -> None:
    """Against a model: places by person, each with the last instant and the message that may give it back."""
    people, dice = PostgresPeople(sender_database.database), random.Random(7)
    crowd = [uuid4() for _ in range(12)]
    model: dict[UUID, tuple[float, UUID | None]] = {}
    now, messages = 0.0, list[UUID]()
    for _ in range(300):
        step = dice.random()
        if step < 0.6:
            asked = [(person, uuid4()) for person in dice.sample(crowd, dice.randint(1, 6))]
            messages += [message for _, message in asked]
            model = {who: one for who, one in model.items() if one[0] + HELD_FOR.total_seconds() > now}
            expected = set[UUID]()
            free = max(0, 8 - len(model))
            for person, message in asked:
                if person in model:
                    model[person] = (now, None)
                elif free > 0:
                    model[person], free = (now, message), free - 1
                else:
                    continue
                expected.add(person)
            assert await people.take_places(PORTFOLIO, most=8, people=asked) == expected
        elif step < 0.8 and messages:
            given = dice.sample(messages, min(len(messages), 5))
            await people.give_back(given)
            model = {who: one for who, one in model.items() if one[1] not in given}
        else:
            hours = dice.choice((1, 11, 25))
            now += hours * 3600
            await pass_time(sender_database, timedelta(hours=hours))
        kept, counted = await count_of(sender_database)
        assert kept == counted


async def test_many_at_once_take_no_place_too_many(sender_database: SenderDatabase) -> None:
    people = PostgresPeople(sender_database.database)
    crowds = [[(uuid4(), uuid4()) for _ in range(10)] for _ in range(20)]

    async def one(crowd: list[tuple[UUID, UUID]]) -> int:
        have = await people.take_places(PORTFOLIO, most=95, people=crowd)
        await people.give_back([message for person, message in crowd[:3] if person in have])
        return len(have)

    await asyncio.gather(*(one(crowd) for crowd in crowds))
    kept, counted = await count_of(sender_database)
    assert kept == counted <= 95
    have = await people.take_places(PORTFOLIO, most=95, people=[(uuid4(), uuid4()) for _ in range(100)])
    assert len(have) == 95 - counted
