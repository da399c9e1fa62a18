"""One batch in a process of its own, on real PostgreSQL and Kafka, that can be told where to die."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

from garbo.common.errors import RetryLater
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import TOPICS
from garbo.common.runtime import postgres
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.outbound.kafka import KafkaPublisher
from garbo.router.outbound.postgres.store import PostgresStore
from garbo.router.ports.publisher import OutgoingRecord
from services.router.tests.support.memory import RecordingPublisher
from services.router.tests.support.router import Router

POLICY = Path(__file__).parents[1] / "payloads" / "policy.yaml"
TRY_AGAIN = 75
Batch: TypeAlias = Mapping[str, Any]
"""`requests`, or `heard` (pairs of topic and event), as JSON has them."""
STATEMENTS = frozenset({"execute", "fetch", "fetchrow", "fetchval"})


class Steps:
    """Notes each step, and after one of them sends this process a signal."""

    def __init__(self, last: int, number: int, tell: Connection) -> None:
        self.taken: list[str] = []
        self._last, self._number, self._tell = last, number, tell

    def take(self, name: str) -> None:
        """Take a step; perhaps the last one."""
        self.taken.append(name)
        if len(self.taken) == self._last:
            self._tell.send(self.taken)
            os.kill(os.getpid(), self._number)


class Stepping:
    """A connection of which each statement is a step."""

    def __init__(self, wrapped: Any, steps: Steps) -> None:  # noqa: ANN401 - a connection
        self._wrapped, self._steps = wrapped, steps

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        found = getattr(self._wrapped, name)
        return self._step(name, found) if name in STATEMENTS else found

    def _step(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def stepping(*arguments: object, **more: object) -> object:
            answer = await call(*arguments, **more)
            self._steps.take(name)
            return answer

        return stepping


class SteppingDatabase(Database):
    """A database of which each statement is a step, and each commit."""

    def __init__(self, dsn: str, steps: Steps) -> None:
        super().__init__(dsn, service="router", size=2)
        self._steps = steps

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction."""
        async with super().transaction() as connection:
            yield Stepping(connection, self._steps)
        self._steps.take("commit")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Lend a connection."""
        async with super().connection() as connection:
            yield Stepping(connection, self._steps)


class Publishing(RecordingPublisher):
    """Tells Kafka as well."""

    def __init__(self, publisher: KafkaPublisher, steps: Steps) -> None:
        super().__init__()
        self._announcer, self._steps = publisher, steps

    async def publish(self, records_to_publish: Sequence[OutgoingRecord]) -> None:
        """Publish; then it is a step."""
        await self._announcer.publish(records_to_publish)
        await super().publish(records_to_publish)
        self._steps.take("publish")


async def take(dsn: str, servers: str, batch: Batch, steps: Steps) -> int:
    """Take the batch; gives the exit code."""
    database = SteppingDatabase(dsn, steps)
    producer = Producer(kafka=KafkaSettings(servers), service="router")
    await database.start()
    await producer.start()
    router = Router(
        PostgresStore(database), load_policy(POLICY), publisher=Publishing(KafkaPublisher(producer), steps)
    )
    kinds = {topic.name: topic.event for topic in TOPICS}
    try:
        if "requests" in batch:
            await router.ask(*[SendRequested.model_validate(r) for r in batch["requests"]])
        else:
            await router.hear(*[kinds[topic].model_validate(event) for topic, event in batch["heard"]])
    except RetryLater:
        return TRY_AGAIN
    finally:
        await producer.stop()
        await database.stop()
    return 0


@dataclass(frozen=True, slots=True)
class Run:
    """What to do with a batch, and where to die."""

    dsn: str
    servers: str
    batch: Batch
    last: int
    """After which step, from 1; 0 for never."""
    number: int
    """The signal it sends itself then."""
    idle: str
    """How long its transactions may be idle, where that is to be shorter than in production."""


def run(told: Run, tell: Connection) -> None:
    """Take the batch and send the steps it took; end with 75 when what it met is to be tried again."""
    if told.idle:
        postgres.SESSION["idle_in_transaction_session_timeout"] = told.idle
    steps = Steps(told.last, told.number, tell)
    code = asyncio.run(take(told.dsn, told.servers, told.batch, steps))
    if code == 0:
        tell.send(steps.taken)
    sys.exit(code)
