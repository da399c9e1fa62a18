"""Real processes on real servers, to be killed, stopped and started again."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from garbo.common.events.base import Event
from garbo.common.events.topics import RAW_TOPICS, SERVICES, TOPICS, RawTopic, Topic, dead_letters
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports
from tests.support.servers import SharedKafka, SharedPostgres

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
BUSINESS: Final = ROOT / "tests" / "e2e" / "business.yaml"
POLICY: Final = HERE / "policy.yaml"
CALM: Final = '{"undeliverable_ratio": 0, "population": {"on": false}}'
PUBLISH_AT_ONCE: Final = 2_000
READY_S: Final = 60.0
STOP_S: Final = 40.0


@dataclass
class Process:
    """One process: `python -m module`, with a port of its own."""

    module: str
    environ: Mapping[str, str]
    port: int
    log: Path
    child: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; it need not be ready yet."""
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(
                [sys.executable, "-m", self.module], env=dict(self.environ), stdout=out, stderr=out, cwd=ROOT
            )

    def kill(self) -> None:
        """End it with SIGKILL, as a machine does."""
        assert self.child is not None
        self.child.kill()
        self.child.wait(STOP_S)

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self.child is not None
        os.kill(self.child.pid, number)

    def stop(self) -> None:
        """End it politely; after a while, not."""
        if self.child is None or self.child.poll() is not None:
            return
        self.child.send_signal(signal.SIGCONT)
        self.child.terminate()
        try:
            self.child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_ready(self) -> None:
        """Wait until it answers /readyz. Raises AssertionError with its log."""
        deadline = time.monotonic() + READY_S
        with httpx.Client(timeout=2) as client:
            while time.monotonic() < deadline and self.child is not None and self.child.poll() is None:
                try:
                    if client.get(f"{self.url}/readyz").status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise AssertionError(f"{self.module} is not ready:\n{self.log.read_text(errors='replace')[-3000:]}")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Installation:
    """Kafka and PostgreSQL with topics and schemas, and processes started as they are needed."""

    kafka: str
    dsn: str
    folder: Path
    environ: dict[str, str]
    dsns: Mapping[str, str]
    """How each service connects to the database, as its own role."""
    processes: dict[str, Process] = field(default_factory=dict)

    def add(self, name: str, module: str, **more: str) -> Process:
        """Make a process under a name of its own and start it."""
        service = module.rpartition(".")[2].upper()
        service = next((name for name in ("ROUTER", "SENDER") if name in service), service)
        (port,) = free_ports(1)
        own = {"GARBO_POSTGRES_DSN": dsn} if (dsn := self.dsns.get(service.lower())) else {}
        environ = self.environ | {f"GARBO_{service}_PORT": str(port)} | own | more
        process = Process(module, environ, port, self.folder / f"{name}.log")
        self.processes[name] = process
        process.start()
        return process

    def stop(self) -> None:
        """Stop all processes."""
        for process in reversed(self.processes.values()):
            process.stop()

    async def publish(self, topic: Topic[Any], events: Sequence[Event]) -> None:
        """Write events to a topic, under keys that spread one person's over all partitions."""
        producer = Producer(kafka=KafkaSettings(self.kafka), service="chaos")
        await producer.start()
        try:
            for start in range(0, len(events), PUBLISH_AT_ONCE):
                some = events[start : start + PUBLISH_AT_ONCE]
                await producer.publish([outgoing(topic, e, key=e.event_id, source="chaos") for e in some])
        finally:
            await producer.stop()

    async def records(self, topic: Topic[Any] | RawTopic) -> list[bytes]:
        """Read a topic from its start to where it ends now."""
        async with self._consumer() as consumer:
            partitions = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
            ends = {p: end for p, end in (await consumer.end_offsets(partitions)).items() if end}
            consumer.assign(list(ends))
            if ends:
                await consumer.seek_to_beginning()
            values: list[bytes] = []
            while ends:
                for partition, records in (await consumer.getmany(timeout_ms=2000)).items():
                    values += [record.value or b"" for record in records]
                    if records and records[-1].offset + 1 >= ends[partition]:
                        ends.pop(partition)
            return values

    async def count(self, topic: Topic[Any] | RawTopic) -> int:
        """Count the records of a topic."""
        async with self._consumer() as consumer:
            partitions = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
            return int(sum((await consumer.end_offsets(partitions)).values()))

    async def dead_letter_count(self) -> int:
        """Count the dead letters of all services."""
        return sum([await self.count(dead_letters(service)) for service in SERVICES])

    async def ledger(self) -> list[dict[str, Any]]:
        """Read all that the simulator accepted."""
        entries: list[dict[str, Any]] = []
        async with httpx.AsyncClient(base_url=self.processes["simulator"].url, timeout=30) as client:
            while page := (await client.get(f"/ledger?after={len(entries)}&limit=10000")).json():
                entries += page
        return entries

    async def value(self, sql: str, *arguments: object) -> Any:  # noqa: ANN401 - a column of any type
        """Ask the database for one value."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(sql, *arguments)
        finally:
            await connection.close()

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the database for rows."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def script(self, sql: str) -> None:
        """Let the database do several things."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def until_value(self, sql: str, expected: object, *, within_s: float = 60) -> None:
        """Wait until the database gives a value."""
        await until(lambda: self.value(sql), lambda seen: seen == expected, within_s=within_s)

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


@contextmanager
def installed(
    kafka: SharedKafka, postgres: SharedPostgres, folder: Path, **environ: str
) -> Iterator[Installation]:
    """Make topics and schemas of its own on these servers; stop every process at the end."""
    dsn = postgres.database("router", "sender", "analytics")
    with ExitStack() as stack:
        asyncio.run(kafka.create_topics([*TOPICS, *RAW_TOPICS]))
        ours = environment(kafka.bootstrap_servers)
        dsns = postgres.as_services(dsn, "router", "sender", "analytics")
        installation = Installation(kafka.bootstrap_servers, dsn, folder, ours | environ, dsns)
        stack.callback(installation.stop)
        yield installation


def environment(kafka: str) -> dict[str, str]:
    """Give what all processes are started with."""
    return {k: v for k, v in os.environ.items() if not k.startswith("GARBO_")} | {
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "GARBO_CONFIG": str(BUSINESS),
        "GARBO_POLICY": str(POLICY),
        "GARBO_WHATSAPP_APP_SECRETS": "chaos-app-secret",
        "GARBO_WHATSAPP_VERIFY_TOKEN": "chaos-verify-token",
        "GARBO_HASH_KEY": secrets.token_hex(16),
        "GARBO_GRAPH_URL": "http://127.0.0.1:9",
        "GARBO_SIMULATOR_CUSTOMERS": "0",
        "GARBO_SIMULATOR_CONTROL": CALM,
        "GARBO_LOG_LEVEL": "warning",
    }


def with_the_platform(installation: Installation) -> None:
    """Start the simulator, ingest (its webhooks' way in) and the sender."""
    (hooks,) = free_ports(1)
    url = f"http://127.0.0.1:{hooks}/webhooks/whatsapp"
    simulator = installation.add("simulator", "garbo.simulator", GARBO_SIMULATOR_WEBHOOK_URL=url)
    ingest = installation.add("ingest", "garbo.ingest", GARBO_INGEST_PORT=str(hooks))
    ingest.port = hooks
    sender = installation.add("sender", "garbo.sender", GARBO_GRAPH_URL=simulator.url)
    for process in (simulator, ingest, sender):
        process.wait_ready()
