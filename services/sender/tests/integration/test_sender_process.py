"""The sender as a process of its own, on real Kafka, PostgreSQL and sockets: also killed in the middle."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from garbo.common.events.grants import SendGranted
from garbo.common.events.ids import platform_message_ref
from garbo.common.events.reads import ReadRequested
from garbo.common.events.results import SendResult
from garbo.common.events.topics import (
    MESSAGE_STATUS,
    READ_REQUESTED,
    SEND_CARE,
    SEND_PROMO,
    SEND_RESULT,
    TOPICS,
    dead_letters,
    redrive,
)
from garbo.common.events.wire import decode
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from garbo.sender.flow.recovery import LEFT_OVER
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, a_grant, a_status
from services.sender.tests.support.graph import FakeGraph, Reply, fake_graph
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.stand import Stand
from tests.support.servers import SharedKafka

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# As `python -m garbo.sender`, but a dead member's partitions are free after 6 s instead of 30.
CHILD = """
import sys
from dataclasses import replace
from garbo.common.business import load_business
from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.lifecycle import run
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import observe
from garbo.sender.app import wire
from garbo.sender.settings import SenderSettings

def build():
    settings = load(SenderSettings)
    kafka = replace(kafka_of(settings), session_s=6.0)
    return wire(settings, load_business(settings.config), observe(settings), kafka=kafka)

sys.exit(run(build))
"""
BUSINESS = f"""
brands: [{{id: acme, care_number: "{NUMBER}", promo_number: "{NUMBER}"}}]
numbers: [{{id: "{NUMBER}", display: "+39 02 1", waba: "2", brand: acme, token: token-one}}]
clients: [{{id: desk, brands: [acme], purposes: [care]}}]
"""


@dataclass(frozen=True, slots=True)
class World:
    kafka: str
    database: SenderDatabase
    graph: FakeGraph
    home: Path
    producer: Producer

    @property
    def logs(self) -> str:
        """What its processes said."""
        return "".join(path.read_text() for path in self.home.glob("*.log"))

    async def granted(self) -> SendGranted:
        """Grant one promo."""
        promo = a_grant(lane="promo")
        await self.grant(promo)
        return promo

    async def grant(self, grant: SendGranted) -> None:
        await self.database.book(grant)
        topic = SEND_CARE if grant.lane == "care" else SEND_PROMO
        await self.producer.publish([outgoing(topic, grant, key=str(grant.contact_id), trace=TRACE)])

    async def published(self, grant: SendGranted, outcome: str) -> tuple[SendResult, str]:
        """Wait for a result of the grant with this outcome; give it and its trace."""
        consumer = AIOKafkaConsumer(
            SEND_RESULT.name, bootstrap_servers=self.kafka, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(60):
                async for record in consumer:
                    result = decode(SEND_RESULT, record.value)
                    if result.message_id == grant.message_id and result.outcome == outcome:
                        assert record.key == str(grant.contact_id).encode()
                        return result, dict(record.headers).get("traceparent", b"").decode()
        finally:
            await consumer.stop()
        raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class Process:
    process: asyncio.subprocess.Process
    url: str

    async def ended(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        async with asyncio.timeout(30):
            return await self.process.wait()


@pytest.fixture
async def world(kafka: SharedKafka, sender_database: SenderDatabase, tmp_path: Path) -> AsyncIterator[World]:
    await kafka.create_topics([*TOPICS, dead_letters("sender"), redrive("sender")])
    (tmp_path / "business.yaml").write_text(BUSINESS)
    producer = Producer(kafka=KafkaSettings(kafka.bootstrap_servers), service="test")
    await producer.start()
    async with fake_graph() as graph:
        yield World(kafka.bootstrap_servers, sender_database, graph, tmp_path, producer)
    await producer.stop()


@asynccontextmanager
async def a_process(world: World) -> AsyncIterator[Process]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": world.kafka,
        "GARBO_POSTGRES_DSN": world.database.dsn,
        "GARBO_CONFIG": str(world.home / "business.yaml"),
        "GARBO_GRAPH_URL": world.graph.url,
        "GARBO_SENDER_PORT": str(port),
    }
    with (world.home / f"sender-{port}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, env=environment, stderr=log
        )
    try:
        yield Process(process, f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_grant_walks_through_the_process_and_sigterm_ends_it_with_0(world: World) -> None:
    care, promo = a_grant(), a_grant(lane="promo")
    async with a_process(world) as process:
        await world.grant(care)
        await world.grant(promo)
        for grant in (care, promo):
            result, trace = await world.published(grant, "accepted")
            assert result.platform_message_ref == platform_message_ref(f"wamid.{grant.message_id}.1")
            assert trace.split("-")[1] == TRACE.split("-")[1]
            assert trace != TRACE
        async with httpx.AsyncClient(timeout=5) as client:
            assert (await client.get(f"{process.url}/readyz")).status_code == 200
            assert (await client.get(f"{process.url}/livez")).status_code == 200
            figures = (await client.get(f"{process.url}/metrics")).text
        assert 'garbo_sender_attempts_total{code="",lane="promo",outcome="accepted"}' in figures
        assert await process.ended(signal.SIGTERM) == 0
    assert "6505550101" not in world.logs
    assert "token-one" not in world.logs


async def test_kill_9_between_commit_and_answer_leaves_unknown_and_a_status_settles_it(world: World) -> None:
    promo = a_grant(lane="promo")
    attempt_id = f"{promo.message_id}.1"
    world.graph.script.append(Reply("hang"))
    async with a_process(world) as process:
        await world.grant(promo)
        await until(lambda: world.graph.posts)
        await process.ended(signal.SIGKILL)
    assert await world.database.attempts() == {attempt_id: "dispatching"}
    await Stand(world.database).age(promo, LEFT_OVER)
    async with a_process(world) as process:
        result, _ = await world.published(promo, "unknown")
        assert result.attempt_id == attempt_id
        status = a_status(attempt_id, wamid="wamid.settled")
        await world.producer.publish([outgoing(MESSAGE_STATUS, status, key="a", trace=TRACE)])
        result, _ = await world.published(promo, "accepted")
        assert result.platform_message_ref == platform_message_ref("wamid.settled")
        assert await process.ended(signal.SIGTERM) == 0
    assert world.graph.asked(attempt_id) == 1
    assert await world.database.attempts() == {attempt_id: "accepted"}


async def test_sigterm_lets_a_call_under_way_finish(world: World) -> None:
    promo = a_grant(lane="promo")
    world.graph.delay_s = 2.0
    async with a_process(world) as process:
        await world.grant(promo)
        await until(lambda: world.graph.posts)
        assert await process.ended(signal.SIGTERM) == 0
    await world.published(promo, "accepted")
    assert world.graph.asked(f"{promo.message_id}.1") == 1


async def test_another_token_is_used_from_the_next_call_on_and_a_bad_file_changes_nothing(
    world: World,
) -> None:
    file = world.home / "business.yaml"
    async with a_process(world) as process:
        await world.published(await world.granted(), "accepted")
        file.write_text(BUSINESS.replace("token-one", "token-two"))
        await until(lambda: "changed file in force" in world.logs)
        await world.published(await world.granted(), "accepted")
        file.write_text("numbers: nonsense")
        await until(lambda: "changed file refused" in world.logs)
        await world.published(await world.granted(), "accepted")
        async with httpx.AsyncClient(timeout=5) as client:
            assert (await client.get(f"{process.url}/readyz")).status_code == 200
            assert (
                'garbo_file_refused{file="business"} 1.0' in (await client.get(f"{process.url}/metrics")).text
            )
        assert await process.ended(signal.SIGTERM) == 0
    assert world.graph.tokens == ["Bearer token-one", "Bearer token-two", "Bearer token-two"]
    assert "token-two" not in world.logs


async def test_a_read_mark_is_told_and_a_strangers_is_a_dead_letter(world: World) -> None:
    wamid = "wamid.HBgMMzkzMzMxMjM0NTY3FQIAERgSRTdGQUNBMDAwMDAwMDAwMDAxAA=="
    mark = ReadRequested(
        client="desk", number=NUMBER, message_id=wamid, typing=True, requested_at=datetime.now(UTC)
    )
    stranger = mark.model_copy(update={"client": "nobody"})
    async with a_process(world) as process:
        for event in (stranger, mark):
            await world.producer.publish([outgoing(READ_REQUESTED, event, key="k", trace=TRACE)])
        await until(lambda: "read marks told" in world.logs)
        refused = f'{{group="sender.reads",outcome="dead_letter",topic="{READ_REQUESTED.name}"}} 1.0'
        async with httpx.AsyncClient(timeout=5) as client:
            figures = await until(
                lambda: client.get(f"{process.url}/metrics"), lambda answer: refused in answer.text
            )
        assert 'garbo_sender_read_marks_total{outcome="marked"} 1.0' in figures.text
        assert await process.ended(signal.SIGTERM) == 0
    assert world.graph.posts == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": wamid,
            "typing_indicator": {"type": "text"},
        }
    ]
    assert wamid not in world.logs


async def test_new_number_is_sent_from_without_a_restart(world: World) -> None:
    new = f"{NUMBER}7"
    known = f'  - {{id: "{NUMBER}", display: "+39 02 1", waba: "2", brand: acme, token: token-one}}'
    both = f'numbers:\n{known}\n  - {{id: "{new}", display: d, waba: "2", brand: acme, token: token-new}}'
    head, _, rest = BUSINESS.partition("numbers: ")
    async with a_process(world) as process:
        await world.published(await world.granted(), "accepted")
        (world.home / "business.yaml").write_text(f"{head}{both}\n{rest.partition(chr(10))[2]}")
        await until(lambda: "changed file in force" in world.logs)
        grant = a_grant(lane="care", number=new)
        await world.grant(grant)
        await world.published(grant, "accepted")
        assert await process.ended(signal.SIGTERM) == 0
    assert world.graph.paths[-1].split("/")[2] == new
    assert world.graph.tokens[-1] == "Bearer token-new"
