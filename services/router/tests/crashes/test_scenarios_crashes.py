"""kill -9 after every single step of a batch, stalls, redeliveries, database errors: on real servers."""

import os
import signal
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from garbo.common.events.base import Event
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import DECISION_MADE, INBOUND_MESSAGE, SEND_PROMO, SEND_RESULT, TOPICS, Topic
from garbo.common.runtime.postgres import Database
from garbo.router.inbound.policy_file.load import load_policy
from garbo.router.outbound.postgres.store import PostgresStore
from libs.common.tests.support.waiting import until
from services.router.tests.crashes.batch_program import POLICY, TRY_AGAIN, Batch, Run, run
from services.router.tests.support.build import business, consent, inbound, requested, result
from services.router.tests.support.forked import Forked
from services.router.tests.support.router import Router
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = pytest.mark.integration

DECIDED = "SELECT message_id, records FROM router.decision WHERE message_id = ANY ($1::uuid[])"
COUNTED = (
    "SELECT contact_id, count(*) FROM router.counted_send WHERE message_id = ANY ($1::uuid[]) GROUP BY 1"
)
STATES = "SELECT message_id, state FROM router.send_grant WHERE message_id = ANY ($1::uuid[])"
WAITING = "SELECT message_id FROM router.deferred WHERE message_id = ANY ($1::uuid[])"
OUTBOX = """
SELECT value FROM router.outbox
WHERE convert_from(value, 'UTF8')::jsonb ->> 'message_id' = ANY ($1::uuid[]::text[])
"""
WAITS = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
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


@pytest.fixture
async def machine(kafka: SharedKafka, postgres: SharedPostgres, database: Database) -> Machine:
    await kafka.create_topics(TOPICS)
    store = PostgresStore(database)
    await store.seed(business())
    return Machine(database._dsn, kafka.bootstrap_servers, database, Router(store, load_policy(POLICY)))


def people(count: int) -> list[dict[str, str]]:
    return [{"phone": f"+39333{uuid4().int % 10**7:07d}"} for _ in range(count)]


async def asked_by(machine: Machine, *, of: int = 3, each: int = 5) -> list[SendRequested]:
    """People who have opted in, and more promos for each than the cap allows."""
    tos = people(of)
    await machine.stored.hear(*[consent(to=to) for to in tos])
    return [requested(to=to, priority=n) for n in range(each) for to in tos]


def written(requests: Sequence[Event]) -> Batch:
    return {"requests": [r.model_dump(mode="json", exclude_none=True) for r in requests]}


def heard(topic: Topic[Any], *events: Event) -> Batch:
    return {"heard": [[topic.name, event.model_dump(mode="json", exclude_none=True)] for event in events]}


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


async def test_scenario_26_death_after_any_step_leaves_no_trace_or_is_told_once_in_effect(
    machine: Machine,
) -> None:
    steps = await machine.run(written(await asked_by(machine)))
    assert steps[-2:] == ["commit", "publish"]
    for last in range(1, len(steps) + 1):
        requests = await asked_by(machine)
        messages = [r.message_id for r in requests]
        assert await machine.run(written(requests), last=last) == steps[:last]
        assert machine.ended[-1] == -signal.SIGKILL
        left = len(await machine.rows(DECIDED, messages))
        assert left == (len(requests) if "commit" in steps[:last] else 0), steps[:last]
        told = await machine.told(DECISION_MADE, messages)
        assert len(told) == (len(requests) if "publish" in steps[:last] else 0), steps[:last]
        assert await machine.run(written(requests)), "a redelivery is taken"
        await judge(machine, requests)


async def test_scenario_28_batch_that_comes_again_is_answered_from_what_is_stored(machine: Machine) -> None:
    requests = await asked_by(machine)
    await machine.run(written(requests))
    parts = [requests[:7], requests[3:], list(reversed(requests)), requests]
    for part in parts:
        await machine.run(written(part))
    await judge(machine, requests)


async def test_scenario_24_same_request_in_a_batch_in_two_processes_at_once_and_after_a_restart(
    machine: Machine,
) -> None:
    requests = await asked_by(machine)
    twice = written([*requests, *requests[::-1]])
    both = [machine.start(twice), machine.start(twice)]
    for process in both:
        await machine.finish(process)
    assert set(machine.ended) <= {0, TRY_AGAIN}
    await machine.run(twice)
    assert machine.ended[-1] == 0
    await judge(machine, requests)


async def test_scenario_25_second_body_under_an_id_is_refused_by_a_process_that_never_saw_the_first(
    machine: Machine,
) -> None:
    requests = await asked_by(machine)
    await machine.run(written(requests))
    other = requests[0].model_copy(update={"priority": 99})
    await machine.run(written([other]))
    told = (await machine.told(DECISION_MADE, [other.message_id]))[other.message_id]
    reused = [d for d in map(DecisionMade.model_validate_json, told) if d.reason == "id_reused"]
    assert [d.sequence for d in reused] == [0]
    stored = await machine.rows(DECIDED, [other.message_id])
    assert [len(row["records"]) for row in stored] == [1]
    assert sum(r["count"] for r in await machine.rows(COUNTED, [r.message_id for r in requests])) == 3 * CAP


async def test_scenario_27_stalled_process_loses_its_locks_and_writes_nothing_when_it_wakes(
    machine: Machine,
) -> None:
    requests = await asked_by(machine)
    steps = await machine.run(written(await asked_by(machine)))
    stall = steps.index("commit")
    zombie = machine.start(written(requests), last=stall, number=signal.SIGSTOP, idle="2s")
    await until(lambda: _is_stopped(zombie.pid))
    assert await machine.run(written(requests)), "another takes over"
    before = await machine.rows(DECIDED, [r.message_id for r in requests])
    assert len(before) == len(requests)
    os.kill(zombie.pid, signal.SIGCONT)
    await machine.finish(zombie)
    assert machine.ended[-1] == TRY_AGAIN
    assert await machine.rows(DECIDED, [r.message_id for r in requests]) == before
    await judge(machine, requests)


async def test_stalled_transactions_are_ended_in_production_too(machine: Machine) -> None:
    async with machine.database.connection() as connection:
        limit = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
    assert limit not in ("0", ""), "a process that is stopped would hold its locks for ever"


async def test_scenario_30_death_after_any_step_of_a_stop_or_a_result_counts_it_once(
    machine: Machine,
) -> None:
    for topic in (INBOUND_MESSAGE, SEND_RESULT):
        steps = await machine.run(await _event_about(machine, topic, await asked_by(machine, of=1)))
        assert "commit" in steps
        for last in range(1, len(steps) + 1):
            requests = await asked_by(machine, of=1)
            batch = await _event_about(machine, topic, requests)
            assert await machine.run(batch, last=last) == steps[:last]
            await machine.run(batch)
            assert machine.ended[-1] == 0
            await _judge_event(machine, topic, requests)


@pytest.mark.parametrize(
    "state", ["40001", "40P01", "55P03"], ids=["serialization", "deadlock", "lock timeout"]
)
async def test_scenario_36_database_error_undoes_the_batch_which_is_tried_again_whole(
    machine: Machine, state: str
) -> None:
    requests = await asked_by(machine)
    async with machine.database.connection() as connection:
        await connection.execute(FAIL_ONCE.format(state=state))
    await machine.run(written(requests))
    assert machine.ended[-1] == TRY_AGAIN
    assert not await machine.rows(DECIDED, [r.message_id for r in requests])
    await machine.run(written(requests))
    assert machine.ended[-1] == 0
    await judge(machine, requests)


FAIL_ONCE = """
CREATE SEQUENCE fails;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('fails') = 1 THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fail_once AFTER INSERT ON router.decision FOR EACH STATEMENT EXECUTE FUNCTION fail_once();
"""


async def test_scenario_36_real_deadlock_with_somebody_who_does_not_sort_is_survived(
    machine: Machine,
) -> None:
    requests = await asked_by(machine, of=2)
    async with machine.database.connection() as other:
        rows = await other.fetch("SELECT contact_id FROM router.recipient_state ORDER BY contact_id")
        first, last = rows[0][0], rows[-1][0]
        lock = "SELECT 1 FROM router.recipient_state WHERE contact_id = $1 FOR UPDATE"
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SET LOCAL deadlock_timeout = '60s'")
        await other.execute(lock, last)
        process = machine.start(written(requests))
        await until(lambda: _one(machine, WAITS))
        await other.execute(lock, first)
        await transaction.rollback()
    await machine.finish(process)
    assert machine.ended[-1] == TRY_AGAIN
    await machine.run(written(requests))
    await judge(machine, requests)


async def _one(machine: Machine, sql: str) -> int:
    async with machine.database.connection() as connection:
        return int(await connection.fetchval(sql))


async def _event_about(machine: Machine, topic: Topic[Any], requests: Sequence[SendRequested]) -> Batch:
    """Let the promos be decided, and give what happens next: a STOP, or the answers of the platform."""
    before = len(machine.stored.granted)
    await machine.stored.ask(*requests)
    granted = machine.stored.granted[before:]
    now = datetime.now(UTC)
    if topic is INBOUND_MESSAGE:
        stop = inbound("STOP", sender={"phone": requests[0].to.phone}, occurred_at=now, received_at=now)
        return heard(topic, stop)
    outcomes = ("accepted", "failed", "unknown")
    return heard(
        topic,
        *[result(g, o, recorded_at=now, started_at=now) for g, o in zip(granted, outcomes, strict=True)],
    )


async def _judge_event(machine: Machine, topic: Topic[Any], requests: Sequence[SendRequested]) -> None:
    messages = [r.message_id for r in requests]
    states = sorted(row["state"] for row in await machine.rows(STATES, messages))
    counted = sum(row["count"] for row in await machine.rows(COUNTED, messages))
    told = await machine.told(DECISION_MADE, messages)
    stored = {row["message_id"]: list(row["records"]) for row in await machine.rows(DECIDED, messages)}
    assert all(set(told.get(m, [])) <= set(records) for m, records in stored.items())
    left = Counter(row["value"] for row in await machine.rows(OUTBOX, messages))
    if topic is INBOUND_MESSAGE:
        assert (states, counted) == (["revoked"] * CAP, 0)
        revoked = [m for m, records in stored.items() if len(records) == 2]
        assert len(revoked) == CAP
        assert [left[stored[m][-1]] for m in revoked] == [1] * CAP, "each call back is to be told, once"
    else:
        assert (states, counted) == (["accepted", "failed", "unknown"], 2)


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - one line of the kernel's
        return file.read().rpartition(")")[2].split()[0] == "T"
