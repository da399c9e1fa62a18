"""The real service on real servers, as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import pytest

from garbo.analytics.inbound.facts import READ
from garbo.cli.local.workspace import workspace_root
from garbo.common.events.base import Event
from garbo.common.events.topics import CONTACT_ERASED, TOPICS, RawTopic, Topic, dead_letters, redrive
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from garbo.common.runtime.raw_producer import Outgoing
from tests.support.ports import free_ports

DEADLINE_S = 60


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service process, and a way to tell it what happened."""

    url: str
    process: subprocess.Popen[bytes]
    producer: Producer

    async def tell(self, events: Sequence[Event]) -> None:
        """Publish events as the other services would."""
        topics = {topic.event: topic for topic in TOPICS}
        await self.publish([outgoing(topics[type(event)], event, key="k") for event in events])

    async def publish(self, records: Sequence[Outgoing]) -> None:
        await self.producer.publish(records)

    async def until(self, path: str, **wanted: object) -> dict[str, Any]:
        """Ask again until the answer's fields are as wanted."""
        answer: dict[str, Any] = {}
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client, asyncio.timeout(DEADLINE_S):
            while not answer or any(answer.get(name) != value for name, value in wanted.items()):
                await asyncio.sleep(0.05)
                answer = (await client.get(path)).json()
        return answer


class Kafka(Protocol):
    bootstrap_servers: str

    async def create_topics(self, topics: Sequence[Topic[Any] | RawTopic]) -> None: ...


class Postgres(Protocol):
    def database(self, *services: str) -> str: ...
    def as_services(self, dsn: str, *services: str) -> dict[str, str]: ...


@pytest.fixture(scope="module")
async def service(kafka: Kafka, postgres: Postgres) -> AsyncIterator[RunningService]:
    await kafka.create_topics([*READ, CONTACT_ERASED, dead_letters("analytics"), redrive("analytics")])
    dsn = postgres.as_services(postgres.database("analytics"), "analytics")["analytics"]
    (port,) = free_ports(1)
    given = {
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "GARBO_POSTGRES_DSN": dsn,
        "GARBO_CONFIG": str(workspace_root() / "deploy" / "local" / "business.yaml"),
        "GARBO_GRAPH_URL": "http://127.0.0.1:9",
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GARBO_")}
    environment = {**clean, **given, "GARBO_ANALYTICS_PORT": str(port)}
    process = _started(environment)
    producer = Producer(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers), service="test")
    await producer.start()
    try:
        running = RunningService(f"http://127.0.0.1:{port}", process, producer)
        await _until_ready(running)
        yield running
    finally:
        await producer.stop()
        process.terminate()
        assert process.wait(timeout=30) == 0


def _started(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "garbo.analytics"], env=environment)


async def _until_ready(running: RunningService) -> None:
    async with httpx.AsyncClient(base_url=running.url, timeout=5) as client, asyncio.timeout(DEADLINE_S):
        while running.process.poll() is None:
            try:
                if (await client.get("/readyz")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    pytest.fail("the service ended before it was ready: see its lines above")
