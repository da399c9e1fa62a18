"""The sender's flow in a process of its own, without Kafka, forked from one that has imported everything."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from garbo.common.events.decisions import Lane
from garbo.common.events.results import SendResult
from garbo.common.events.shown import AddressShown
from garbo.common.runtime.postgres import Database
from garbo.sender.app import Sending
from garbo.sender.domain.portfolios import ListedPortfolios
from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.portfolios import Portfolios
from garbo.sender.outbound.postgres_pauses import PostgresPauses
from garbo.sender.outbound.postgres_portfolios import PostgresPeople
from garbo.sender.outbound.whatsapp import WhatsAppApi
from services.sender.tests.support.fakes import ListedNews, PeopleShown, QuietFigures, QuietTelemetry
from tests.chaos.granted import NUMBER

SENDS_PER_S: Final = 400.0
TOKEN: Final = "e2e-token"


@dataclass(frozen=True, slots=True)
class AppendedResults:
    """`Results` in a file that survives whoever writes it."""

    path: Path

    async def publish(
        self, results: Sequence[tuple[SendResult, str | None]], *, shown: Sequence[AddressShown] = ()
    ) -> None:
        """Append them in one write, each on a line of its own."""
        del shown
        lines = "".join(f"\n{result.model_dump_json()}" for result, _ in results).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, lines)
        finally:
            os.close(handle)

    def read(self) -> list[SendResult]:
        """Give all; a line that a death cut short was not told."""
        found = []
        for line in self.path.read_bytes().splitlines():
            try:
                found.append(SendResult.model_validate_json(line))
            except ValidationError:
                continue
        return found


def live(dsn: str, url: str, shards: frozenset[int], results: Path) -> None:
    """Be a sender until somebody kills it."""
    asyncio.run(_live(dsn, url, shards, results))


async def _live(dsn: str, url: str, shards: frozenset[int], results: Path) -> None:
    database = Database(dsn, service="sender")
    whatsapp = WhatsAppApi(url=url, version="v25.0", tokens={NUMBER: TOKEN})
    await database.start()
    await whatsapp.start()
    switches = PostgresPauses(database)
    pauses = Pauses(switches, ListedNews(), QuietFigures(), account_of=lambda _: None, now=time.monotonic)

    def owned(lane: Lane) -> frozenset[int]:
        del lane
        return shards

    sending = Sending.on(
        database,
        whatsapp=whatsapp,
        results=AppendedResults(results),
        telemetry=QuietTelemetry(),
        pauses=pauses,
        portfolios=Portfolios(PostgresPeople(database), PeopleShown(), listed=ListedPortfolios),
        rates={NUMBER: SENDS_PER_S},
        siblings=lambda _: {},
        shards=owned,
    )
    await sending.dispatch.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(sending.recovery.run())
        raise await sending.dispatch.wait_failed()
