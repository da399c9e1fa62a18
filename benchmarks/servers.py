"""Real servers and real service processes for a benchmark, on ports of their own."""

import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from garbo.cli.local.workspace import default_data_folder
from garbo.common.events.topics import RAW_TOPICS, TOPICS, Topic
from garbo.common.runtime.migrations import migrate
from tests.support.own_servers import OwnKafka, OwnPostgres
from tests.support.servers import SharedKafka, SharedPostgres

HERE = Path(__file__).parent
NUMBERS = tuple(f"10654035224292{n}" for n in range(4))
API_KEY = "bench-key"
APP_SECRET = "bench-app-secret"


@dataclass(frozen=True, slots=True)
class Bench:
    """What every benchmark gets: servers, and the environment of processes."""

    kafka: str
    dsn: str
    env: Mapping[str, str]
    folder: Path

    async def end_offset(self, topic: Topic[Any]) -> int:
        """Count the records of a topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            partitions = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
            return int(sum((await consumer.end_offsets(partitions)).values()))
        finally:
            await consumer.stop()


@contextmanager
def servers() -> Iterator[Bench]:
    """Start Kafka and PostgreSQL with topics and schemas; stop and forget them at the end."""
    with tempfile.TemporaryDirectory(prefix="garbo-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        kafka = OwnKafka(home=folder / "kafka", jars=default_data_folder() / "kafka" / "jars")
        postgres = OwnPostgres(home=folder / "postgres")
        kafka.start()
        try:
            postgres.start()
            try:
                yield _ready(kafka.bootstrap_servers, postgres.dsn(), folder)
            finally:
                postgres.stop()
        finally:
            kafka.stop()


def _ready(bootstrap: str, dsn: str, folder: Path) -> Bench:
    dsn = SharedPostgres(dsn).database()

    async def prepare() -> None:
        await SharedKafka(bootstrap).create_topics([*TOPICS, *RAW_TOPICS])
        for service in ("router", "sender", "analytics"):
            await migrate(dsn, service)

    asyncio.run(prepare())
    env = {k: v for k, v in os.environ.items() if not k.startswith("GARBO_")} | {
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "GARBO_POSTGRES_DSN": dsn,
        "GARBO_CONFIG": str(HERE / "business.yaml"),
        "GARBO_POLICY": str(HERE / "policy.yaml"),
        "GARBO_WHATSAPP_APP_SECRETS": APP_SECRET,
        "GARBO_WHATSAPP_VERIFY_TOKEN": "bench-verify-token",
        "GARBO_HASH_KEY": secrets.token_hex(16),
        "GARBO_GRAPH_URL": "http://127.0.0.1:9",
        "GARBO_LOG_LEVEL": "error",
    }
    return Bench(kafka=bootstrap, dsn=dsn, env=env, folder=folder)


@contextmanager
def process(
    bench: Bench, name: str, *arguments: str, ready_port: int | None = None, **more: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m name` until the block ends; on entry it answers /readyz."""
    env = dict(bench.env) | more
    log = (bench.folder / f"{name}.log").open("wb")
    child = subprocess.Popen([sys.executable, "-m", name, *arguments], env=env, stdout=log, stderr=log)
    try:
        if ready_port:
            _wait_ready(child, ready_port, bench.folder / f"{name}.log")
        yield child
    finally:
        child.terminate()
        child.wait(60)
        log.close()


def _wait_ready(child: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    with httpx.Client(timeout=1) as client:
        while time.monotonic() < deadline and child.poll() is None:
            try:
                if client.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
    raise AssertionError(f"not ready:\n{log.read_text(errors='replace')[-2000:]}")
