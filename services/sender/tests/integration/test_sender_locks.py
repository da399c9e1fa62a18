"""Many hands on the same messages: none of them ever waits for somebody who waits for it."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from garbo.common.errors import RetryLater
from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import MessageId, attempt_id_of
from garbo.common.runtime.postgres import Database
from garbo.sender.domain.outcomes import Accepted, Failed, NotYet, Unknown
from garbo.sender.domain.pauses import PauseOrder, ResumeOrder
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_media_needs import PostgresMediaNeeds
from garbo.sender.outbound.postgres_memories import PostgresMemories
from garbo.sender.outbound.postgres_pauses import PostgresPauses
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from garbo.sender.outbound.postgres_queue import PostgresQueue
from garbo.sender.ports.attempts import AttemptStatus, FinishedAttempt, PlannedAttempt, RefusedGrant
from garbo.sender.ports.queue import Parked
from services.sender.tests.support.builders import a_grant, a_send
from services.sender.tests.support.postgres import SenderDatabase, sender_database_on
from tests.support.servers import SharedPostgres

pytestmark = pytest.mark.integration

MESSAGES: Final = 40
HANDS: Final = 8
STEPS: Final = 150
"""Of each hand."""


class Hand:
    """Does one thing after the other with some of the messages, in an order of its own."""

    def __init__(self, database: Database, grants: Sequence[SendGranted], seed: int) -> None:
        self._grants = grants
        self._random = random.Random(seed)
        self._attempts = PostgresAttempts(database, resend_after=timedelta(0))
        self._queue = PostgresQueue(database)
        self._needs = PostgresMediaNeeds(database)
        self._memories = PostgresMemories(database)
        self._people = PostgresPeople(database)
        self._pauses = PostgresPauses(database)

    async def do_one(self, step: Callable[["Hand"], Coroutine[Any, Any, Any]]) -> str | None:
        """Do it; give why the database refused, where it did."""
        try:
            await step(self)
        except RetryLater as error:
            return type(error.__cause__).__name__
        return None

    def _sends(self) -> list[QueuedSend]:
        some = self._random.sample(self._grants, self._random.randint(MESSAGES // 4, MESSAGES))
        return [a_send(grant) for grant in some]

    async def take_in(self) -> None:
        await self._queue.take_in(self._sends())

    async def begin(self) -> None:
        await self._attempts.begin([PlannedAttempt(send, None) for send in self._sends()])

    async def record(self) -> None:
        ends = (Accepted("ref"), Failed(131026, "code:131026"), NotYet(None, "connect"), Unknown("timeout"))
        await self._attempts.record(
            [
                FinishedAttempt(s, self._random.randint(1, 3), self._random.choice(ends), 200)
                for s in self._sends()
            ]
        )

    async def settle(self) -> None:
        now = datetime.now(UTC)
        seen = [
            AttemptStatus(
                attempt_id_of(MessageId(send.message_id), self._random.randint(1, 3)),
                self._random.choice(("sent", "delivered", "failed")),
                "ref",
                None,
                now,
            )
            for send in self._sends()
        ]
        await self._attempts.settle(seen)

    async def refuse(self) -> None:
        await self._attempts.refuse([RefusedGrant(send, "lease_expired") for send in self._sends()])

    async def abandon(self) -> None:
        await self._attempts.abandon(older_than=timedelta(0), limit=MESSAGES)

    async def unsettled(self) -> None:
        await self._attempts.unsettled(older_than=timedelta(0), limit=MESSAGES)

    async def park(self) -> None:
        why = self._random.choice(("pair", "order", "media", "pause:template:x", "portfolio:p"))
        after_s = self._random.choice((0, float("inf")))
        await self._queue.park([Parked(send.message_id, after_s, why) for send in self._sends()])

    async def wake(self) -> None:
        await self._queue.wake("care", [0])

    async def forget(self) -> None:
        results = await self._attempts.results([send.message_id for send in self._sends()])
        await self._queue.forget(list(results.values()))

    async def let_go(self) -> None:
        await self._needs.let_go(limit=MESSAGES)

    async def take_places(self) -> None:
        people = [(send.contact_id, send.message_id) for send in self._sends()]
        await self._people.take_places("p", most=MESSAGES // 2, people=people)

    async def give_places_back(self) -> None:
        await self._people.give_back([send.message_id for send in self._sends()])

    async def wake_for_places(self) -> None:
        await self._people.wake("p", most=MESSAGES, most_of_promo=MESSAGES)

    async def pause(self) -> None:
        names = self._random.sample(("x", "y", "z"), 3)
        await self._pauses.order([PauseOrder("template", name, "operator", "test", "me") for name in names])

    async def resume(self) -> None:
        names = self._random.sample(("x", "y", "z"), 3)
        await self._pauses.order([ResumeOrder("template", name, ("operator",), "me") for name in names])
        await self._pauses.end_due()

    async def erase(self) -> None:
        await self._memories.forget([send.contact_id for send in self._sends()[:2]])

    async def drop_old(self) -> None:
        await self._memories.drop_old(keep=timedelta(days=1), limit=MESSAGES)


STEPS_OF_A_HAND: Final = [step for name, step in vars(Hand).items() if name[0] != "_" and name != "do_one"]


@pytest.fixture
async def database(postgres: SharedPostgres) -> AsyncIterator[SenderDatabase]:
    """One that looks for a ring within 10 ms instead of a second."""
    async with sender_database_on(postgres, session={"deadlock_timeout": "10ms"}) as database:
        yield database


@pytest.mark.parametrize("seed", range(3))
async def test_hands_on_the_same_messages_never_wait_for_each_other_in_a_ring(
    database: SenderDatabase, seed: int
) -> None:
    grants = [a_grant(lane="care") for _ in range(MESSAGES)]
    await database.book(*grants)
    refused: list[str] = []

    async def work(number: int) -> None:
        hand = Hand(database.database, grants, 100 * seed + number)
        choose = random.Random(100 * seed + number)
        for _ in range(STEPS):
            step = choose.choice(STEPS_OF_A_HAND)
            if why := await hand.do_one(step):
                refused.append(f"{step.__name__}: {why}")

    async with asyncio.TaskGroup() as hands:
        for number in range(HANDS):
            hands.create_task(work(number))
    assert refused == []
