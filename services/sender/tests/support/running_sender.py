"""A sender without Kafka: the whole flow on a real PostgreSQL and real sockets."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from garbo.common.events.grants import SendGranted
from garbo.common.events.results import SendResult
from garbo.sender.flow.calls import Calls
from garbo.sender.flow.dependencies import Dependencies
from garbo.sender.flow.elsewhere import Elsewhere
from garbo.sender.flow.inflight import InFlight
from garbo.sender.flow.pacer import Pacer
from garbo.sender.flow.recovery import Recovery
from garbo.sender.flow.send_grants import DeliveredGrant, SendGrants
from garbo.sender.flow.settlement import SettleAttempts
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_rates import PostgresRateLeases
from garbo.sender.outbound.whatsapp import WhatsAppApi
from services.sender.tests.support.builders import NUMBER
from services.sender.tests.support.fakes import ListedResults, QuietTelemetry
from services.sender.tests.support.graph import TOKENS
from services.sender.tests.support.postgres import SenderDatabase


@dataclass(frozen=True, slots=True)
class Sender:
    attempts: PostgresAttempts
    send_grants: SendGrants
    settle_attempts: SettleAttempts
    recovery: Recovery
    results: ListedResults
    inflight: InFlight

    async def send(self, *grants: SendGranted) -> None:
        await self.send_grants.send([DeliveredGrant(grant, None) for grant in grants])

    def published(self, grant: SendGranted) -> list[SendResult]:
        return [r for r in self.results.published if r.message_id == grant.message_id]


@asynccontextmanager
async def a_sender(
    database: SenderDatabase, url: str, *, rate: float = 400, elsewhere: Elsewhere | None = None
) -> AsyncIterator[Sender]:
    whatsapp = WhatsAppApi(url=url, version="v25.0", tokens=TOKENS)
    attempts, results, telemetry = PostgresAttempts(database.database), ListedResults(), QuietTelemetry()
    pacer = Pacer(PostgresRateLeases(database.database), ceilings_per_s={NUMBER: rate}, now=time.monotonic)
    calls = Calls(
        attempts=attempts,
        results=results,
        whatsapp=whatsapp,
        pacer=pacer,
        telemetry=telemetry,
        now=time.monotonic,
    )
    inflight = InFlight()
    elsewhere = elsewhere or Elsewhere(time.monotonic)
    deps = Dependencies(attempts, results, calls, pacer, inflight, telemetry, elsewhere, time.monotonic)
    recovery = Recovery(attempts, results, telemetry, older_than=timedelta(0))
    await whatsapp.start()
    try:
        yield Sender(
            attempts,
            SendGrants(deps),
            SettleAttempts(attempts, results, telemetry),
            recovery,
            results,
            inflight,
        )
    finally:
        await inflight.stop()
        await whatsapp.stop()
