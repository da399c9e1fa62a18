"""A sender without Kafka: the whole flow on a real PostgreSQL and real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from garbo.common.events.decisions import Lane
from garbo.common.events.grants import SendGranted
from garbo.common.events.results import SendResult
from garbo.sender.app import Sending
from garbo.sender.domain.line import MOST_MESSAGES
from garbo.sender.domain.outcomes import Answer
from garbo.sender.domain.platform_words import Numbers
from garbo.sender.domain.portfolios import ListedPortfolios
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.platform_changes import ObeyPlatform
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.flow.recovery import Recovery
from garbo.sender.flow.send_queue import Shards
from garbo.sender.flow.settlement import SettleAttempts
from garbo.sender.flow.take_grants import DeliveredGrant, TakeGrants
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_pauses import PostgresPauses
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.outbound.whatsapp_body import draft_of
from garbo.sender.ports.outside import WhatsApp
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, WABA
from services.sender.tests.support.fakes import (
    ListedNews,
    ListedResults,
    PeopleShown,
    QuietFigures,
    QuietTelemetry,
)
from services.sender.tests.support.graph import TOKENS
from services.sender.tests.support.postgres import SenderDatabase

ENDED = "dispatch: ended"
"""By the test itself."""
NO_PORTFOLIOS = ListedPortfolios()
SHARDS = frozenset(range(12))


def all_shards(lane: Lane) -> frozenset[int]:
    """Give all partitions of either lane to one process."""
    del lane
    return SHARDS


def only(*shards: int) -> Shards:
    """Give these partitions of either lane to one process."""

    def given(lane: Lane) -> frozenset[int]:
        del lane
        return frozenset(shards)

    return given


@dataclass(frozen=True, slots=True)
class TimedWhatsApp:
    """A way to the platform, and when each call left."""

    api: WhatsApp
    left_at: list[float] = field(default_factory=list)

    async def post(self, send: QueuedSend, *, attempt_id: str) -> Answer:
        self.left_at.append(time.monotonic())
        return await self.api.post(send, attempt_id=attempt_id)


@dataclass(frozen=True, slots=True)
class Sender:
    sending: Sending
    attempts: PostgresAttempts
    results: ListedResults
    pauses: Pauses
    platform: ObeyPlatform
    news: ListedNews
    figures: QuietFigures
    people: PeopleShown
    left_at: list[float]

    @property
    def settle_attempts(self) -> SettleAttempts:
        return self.sending.settle

    @property
    def recovery(self) -> Recovery:
        return self.sending.recovery

    async def take(self, *grants: SendGranted, shard: int = 0) -> None:
        """Let grants come, and wait for nothing."""
        take = TakeGrants(self.sending.queue, draft_of=draft_of, now=time.monotonic)
        await take.take([DeliveredGrant(grant, shard, None) for grant in grants])

    async def send(self, *grants: SendGranted, shard: int = 0) -> None:
        """Let grants come, and wait until each has a result, told after that."""
        before = {grant.message_id: len(self.published(grant)) for grant in grants}
        await self.take(*grants, shard=shard)
        await until(
            lambda: all(len(self.published(grant)) > before[grant.message_id] for grant in grants),
            within_s=20,
        )

    def published(self, grant: SendGranted) -> list[SendResult]:
        return [r for r in self.results.published if r.message_id == grant.message_id]


@asynccontextmanager
async def a_sender(
    database: SenderDatabase,
    url: str,
    *,
    rate: float = 400,
    rates: Mapping[str, float] | None = None,
    shards: Shards = all_shards,
    portfolios: ListedPortfolios = NO_PORTFOLIOS,
) -> AsyncIterator[Sender]:
    given = rates or {NUMBER: rate}
    whatsapp = WhatsAppApi(url=url, version="v25.0", tokens=dict.fromkeys(given, "token-two") | TOKENS)
    await whatsapp.start()
    try:
        async with a_sender_over(
            database, whatsapp, rates=given, shards=shards, portfolios=portfolios
        ) as sender:
            yield sender
    finally:
        await whatsapp.stop()


@asynccontextmanager
async def a_sender_over(
    database: SenderDatabase,
    whatsapp: WhatsApp,
    *,
    rates: Mapping[str, float],
    shards: Shards = all_shards,
    portfolios: ListedPortfolios = NO_PORTFOLIOS,
    in_memory: int = MOST_MESSAGES,
) -> AsyncIterator[Sender]:
    numbers = Numbers([(number, WABA, f"+{number}") for number in rates])
    news, figures = ListedNews(), QuietFigures()
    pauses = Pauses(
        PostgresPauses(database.database), news, figures, account_of=numbers.account_of, now=time.monotonic
    )
    people = PeopleShown()
    limits = Portfolios(PostgresPeople(database.database), people, listed=lambda: portfolios)
    results, timed = ListedResults(), TimedWhatsApp(whatsapp)
    sending = Sending.on(
        database.database,
        whatsapp=timed,
        results=results,
        telemetry=QuietTelemetry(),
        pauses=pauses,
        portfolios=limits,
        rates=rates,
        siblings=lambda number: {one: rates[one] for one in numbers.of(WABA) if one != number},
        shards=shards,
        in_memory=in_memory,
    )
    await sending.dispatch.start()
    failing = asyncio.create_task(sending.dispatch.wait_failed())
    try:
        attempts, platform = (
            PostgresAttempts(database.database),
            ObeyPlatform(pauses, limits, lambda: numbers),
        )
        yield Sender(sending, attempts, results, pauses, platform, news, figures, people, timed.left_at)
        assert not failing.done() or str(failing.result()) == ENDED, failing.result()
    finally:
        failing.cancel()
        await sending.dispatch.stop()
