"""Scenarios 26, 27 and 36: kill -9 after every single step, stalls, and errors of the database."""

import asyncio
import os
import signal
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from garbo.common.errors import RetryLater
from garbo.common.events.topics import DECISION_MADE, RAW_TOPICS, TOPICS
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.postgres import Database
from garbo.common.runtime.producer import Producer
from garbo.router.domain.policy import Policy
from garbo.router.flow.jobs.relay_outbox import RelayOutbox
from garbo.router.outbound.kafka import KafkaPublisher
from garbo.router.outbound.postgres.budgets import PostgresBudgetLeases
from garbo.router.outbound.postgres.jobs import PostgresJobStore
from garbo.router.outbound.postgres.outbox import PostgresOutbox
from libs.common.tests.support.waiting import until
from services.router.tests.support.batch_program import TRY_AGAIN
from services.router.tests.support.build import business, consent, requested
from services.router.tests.support.dying import LEASES_END, dying
from services.router.tests.support.machine import DECIDED, Machine, asked_by, judge, written
from services.router.tests.support.memory_jobs import CountingJobMeter
from services.router.tests.support.router import Router
from tests.support.servers import SharedKafka

WAITS = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
FAIL_ONCE = """
CREATE SEQUENCE fails;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('fails') = 1 THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fail_once AFTER INSERT ON router.decision FOR EACH STATEMENT EXECUTE FUNCTION fail_once();
"""


async def _one(machine: Machine, sql: str) -> int:
    async with machine.database.connection() as connection:
        return int(await connection.fetchval(sql))


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - one line of the kernel's
        return file.read().rpartition(")")[2].split()[0] == "T"


KILLED = -signal.SIGKILL


async def dies(point: str, dsn: str, kafka: str = "-") -> None:
    async with dying(point, dsn, kafka) as process:
        assert await process.exit_code() == KILLED


async def published(kafka: SharedKafka, message_id: object) -> list[bytes]:
    """Give all decisions about a message that stand in Kafka, in their order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    found: list[bytes] = []
    async with asyncio.timeout(60):
        await consumer.start()
        try:
            parts = [TopicPartition(DECISION_MADE.name, p) for p in range(DECISION_MADE.partitions)]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            await consumer.seek_to_beginning(*parts)
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [r.value for r in records if r.value and str(message_id).encode() in r.value]
        finally:
            await consumer.stop()
    return found


async def test_scenario_26_crash_after_commit_publishes_on_redelivery(router: Router) -> None:
    await router.hear(consent())
    router.publisher.failures_left = 1
    asked = requested()
    with pytest.raises(RetryLater):
        await router.ask(asked)
    assert router.publisher.told == []
    (decision,) = await router.ask(asked)
    assert decision.verdict == "allow"
    assert len(router.granted) == 1


@pytest.mark.integration
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


@pytest.mark.integration
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


@pytest.mark.integration
async def test_stalled_transactions_are_ended_in_production_too(machine: Machine) -> None:
    async with machine.database.connection() as connection:
        limit = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
    assert limit not in ("0", ""), "a process that is stopped would hold its locks for ever"


@pytest.mark.integration
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


@pytest.mark.integration
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


@pytest.mark.integration
async def test_scenario_26_what_was_committed_and_not_told_is_told_after_a_kill_byte_for_byte(
    kafka: SharedKafka, dsn: str, own_database: Database
) -> None:
    await kafka.create_topics([*TOPICS, *RAW_TOPICS])
    store, stock = PostgresJobStore(own_database), PostgresBudgetLeases(own_database)
    await store.seed(business())
    open_policy = Policy(
        name="test",
        version="v",
        classes=(),
        rules=(),
        lease_us=900_000_000,
        send_budget_us=45_000_000,
        history_us=86_400_000_000,
        refund_codes=frozenset(),
    )
    router = Router(store, open_policy, budget_leases=stock)
    asked = requested(to={"phone": f"+39333{uuid4().int % 10**7:07d}"})
    await router.ask(asked)
    async with own_database.connection() as connection:
        await connection.execute(LEASES_END)
    await dies("before_publish", dsn)
    stored = await store.decision(asked.message_id)
    assert stored is not None
    assert len(stored.records) == 2, "the release was committed"
    assert await published(kafka, asked.message_id) == [], "and nobody was told"
    await dies("before_delete", dsn, kafka.bootstrap_servers)
    assert await published(kafka, asked.message_id) == [stored.records[1]]
    producer = Producer(kafka=KafkaSettings(kafka.bootstrap_servers), service="router")
    await producer.start()
    try:
        meter = CountingJobMeter()
        await RelayOutbox(PostgresOutbox(own_database), KafkaPublisher(producer), meter).once()
        assert meter.published_count == 1
        await RelayOutbox(PostgresOutbox(own_database), KafkaPublisher(producer), meter).once()
        assert meter.published_count == 1, "acknowledged is deleted"
    finally:
        await producer.stop()
    assert await published(kafka, asked.message_id) == [stored.records[1]] * 2
