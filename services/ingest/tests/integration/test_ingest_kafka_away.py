"""Kafka goes, or holds still, and comes back: whoever asks is told so in time, and nothing is lost."""

import asyncio
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import Protocol

import orjson
import pytest

from garbo.common.business import Business
from garbo.common.events.topics import INBOUND_MESSAGE
from garbo.common.events.wire import decode
from libs.common.tests.support.waiting import until
from services.ingest.tests.support.http import AnyJson
from services.ingest.tests.support.process import (
    OURS,
    Ingest,
    SharedKafka,
    fresh_webhook,
    message,
    records,
    running,
)

pytestmark = pytest.mark.integration
IN_TIME_S = 2.0 + 0.5
"""Two seconds, and what a busy machine adds to nine of ten."""
LONGEST_S = 6.0
"""To the longest of some hundred; a produce by itself is patient for 14."""


class PrivateKafka(Protocol):
    @property
    def bootstrap_servers(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


@pytest.mark.timeout(150)
@pytest.mark.parametrize("away", ["stopped", "holding still"])
async def test_while_kafka_is_away_whoever_asks_is_told_so_in_time_and_nothing_is_lost(
    private_kafka: PrivateKafka, kafka: SharedKafka, ingest_business: Business, tmp_path: Path, away: str
) -> None:
    """The platform posts ten webhooks a second meanwhile, each again until it is kept."""
    leaves, comes = (
        (private_kafka.stop, private_kafka.start)
        if away == "stopped"
        else (private_kafka.freeze, private_kafka.thaw)
    )
    await type(kafka)(private_kafka.bootstrap_servers).create_topics(OURS)  # type: ignore[call-arg] # conftest.Kafka
    async with running(private_kafka.bootstrap_servers, tmp_path, ingest_business) as ingest:
        platform = Platform(ingest)
        assert await platform.post(fresh_webhook()) == 200
        await asyncio.to_thread(leaves)
        async with asyncio.TaskGroup() as posting:
            for _ in range(80):
                posting.create_task(platform.post_until_kept(fresh_webhook()))
                await asyncio.sleep(0.1)  # the platform's pace
            submitted = await ingest.submit(message())
            assert submitted.status_code == 503
            assert (await ingest.http.get("/livez")).status_code == 200
            await asyncio.to_thread(comes)
        assert platform.answers.keys() == {200, 503}
        waited = sorted(platform.answers[503])
        assert waited[len(waited) * 9 // 10] < IN_TIME_S
        assert waited[-1] < LONGEST_S
        kept = await records(ingest, INBOUND_MESSAGE, about="wamid.")
        assert {decode(INBOUND_MESSAGE, one.value).wamid for one in kept} == platform.posted


class Platform:
    """Posts webhooks and notes what each post was answered, and after how long."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.posted: set[str] = set()
        self.answers: defaultdict[int, list[float]] = defaultdict(list)

    async def post(self, webhook: tuple[str, AnyJson]) -> int:
        """Post once."""
        wamid, body = webhook
        self.posted.add(wamid)
        began = perf_counter()
        status = await self.ingest.webhook(orjson.dumps(body))
        self.answers[status].append(perf_counter() - began)
        return status

    async def post_until_kept(self, webhook: tuple[str, AnyJson]) -> None:
        """Post again and again, as the platform does."""
        await until(lambda: self.post(webhook), lambda status: status == 200)
