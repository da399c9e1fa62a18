"""Batches on real servers, each in a process that ends as it is told, and what must be true afterwards."""

import signal
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from garbo.common.events.base import Event
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, SEND_PROMO, Topic
from garbo.common.runtime.postgres import Database
from services.router.tests.support.batch_program import Batch, Run, run
from services.router.tests.support.build import consent, requested
from services.router.tests.support.forked import Forked
from services.router.tests.support.router import Router

DECIDED = "SELECT message_id, records FROM router.decision WHERE message_id = ANY ($1::uuid[])"
COUNTED = (
    "SELECT contact_id, count(*) FROM router.counted_send WHERE message_id = ANY ($1::uuid[]) GROUP BY 1"
)
WAITING = "SELECT message_id FROM router.deferred WHERE message_id = ANY ($1::uuid[])"
CAP = 3
"""Of the test policy, in a week."""


@dataclass
class Machine:
    """Where batches run: a database, a broker, and processes that end as they are told."""

    dsn: str
    kafka: str
    database: Database
    stored: Router
    ended: list[int] = field(default_factory=list)

    async def run(self, batch: Batch, *, last: int = 0) -> list[str]:
        """Run a batch in a process of its own; give the steps it took. How it ended is noted."""
        return await self.finish(self.start(batch, last=last))

    def start(self, batch: Batch, *, last: int = 0, number: int = signal.SIGKILL, idle: str = "") -> Forked:
        """Start it with its batch."""
        return Forked(run, Run(self.dsn, self.kafka, batch, last, number, idle))

    async def finish(self, process: Forked) -> list[str]:
        """Wait for its end; give the steps it took."""
        steps: list[str] | None = await process.sent()
        self.ended.append(await process.exit_code())
        return steps or []

    async def rows(self, sql: str, messages: Sequence[UUID]) -> list[Any]:
        """Read what is stored of messages."""
        async with self.database.connection() as connection:
            return list(await connection.fetch(sql, messages))

    async def told(self, topic: Topic[Any], messages: Sequence[UUID]) -> dict[UUID, list[bytes]]:
        """Read what was told of messages, from the topic's start to its end."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        found: defaultdict[UUID, list[bytes]] = defaultdict(list)
        try:
            partitions = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
            ends = {p: end for p, end in (await consumer.end_offsets(partitions)).items() if end}
            consumer.assign(list(ends))
            if ends:
                await consumer.seek_to_beginning()
            while any([await consumer.position(p) < end for p, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for value in [bytes(record.value or b"") for record in records]:
                        found[UUID(orjson.loads(value)["message_id"])].append(value)
        finally:
            await consumer.stop()
        return {message: found[message] for message in messages if message in found}


def people(count: int) -> list[dict[str, str]]:
    return [{"phone": f"+39333{uuid4().int % 10**7:07d}"} for _ in range(count)]


async def asked_by(machine: Machine, *, of: int = 3, each: int = 5) -> list[SendRequested]:
    """People who have opted in, and more promos for each than the cap allows."""
    tos = people(of)
    await machine.stored.hear(*[consent(to=to) for to in tos])
    return [requested(to=to, priority=n) for n in range(each) for to in tos]


def written(requests: Sequence[Event]) -> Batch:
    return {"requests": [r.model_dump(mode="json", exclude_none=True) for r in requests]}


async def judge(machine: Machine, requests: Sequence[SendRequested]) -> None:
    """Each decided once, told as it is stored, granted once, counted once, and never over the cap."""
    messages = [r.message_id for r in requests]
    stored = {row["message_id"]: list(row["records"]) for row in await machine.rows(DECIDED, messages)}
    assert set(stored) == set(messages)
    assert all(len(records) == 1 for records in stored.values()), "something was decided twice"
    told = await machine.told(DECISION_MADE, messages)
    assert {m: set(values) for m, values in told.items()} == {m: set(r) for m, r in stored.items()}
    decisions = [DecisionMade.model_validate_json(records[0]) for records in stored.values()]
    allowed = {d.message_id for d in decisions if d.verdict == "allow"}
    granted = await machine.told(SEND_PROMO, messages)
    assert set(granted) == allowed
    assert all(len(set(values)) == 1 for values in granted.values()), "one grant in two forms"
    counted = await machine.rows(COUNTED, messages)
    assert [row["count"] for row in counted] == [CAP] * len({str(r.to) for r in requests})
    waiting = {row["message_id"] for row in await machine.rows(WAITING, messages)}
    assert waiting == {d.message_id for d in decisions if d.verdict == "defer"}
