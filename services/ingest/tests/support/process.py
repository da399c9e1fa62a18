"""The process itself: real sockets, real Kafka, real signals."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from garbo.common.business import Business
from garbo.common.events.topics import EVERY_TOPIC, RawTopic, Topic
from libs.common.tests.support.waiting import until
from services.ingest.tests.support.http import AnyJson
from services.ingest.tests.support.webhooks import signed
from tests.support.ports import free_ports

PAYLOADS = Path(__file__).parents[1] / "payloads"
SECRET = "app-secret-of-the-process"
HASH_KEY = "hash-key-of-the-process"
API_KEY = "shop-key-0123456789abcdef"
OURS: list[Topic[AnyJson] | RawTopic] = [*EVERY_TOPIC]
PATIENCE_S = 30


class SharedKafka(Protocol):
    """The broker of this run."""

    bootstrap_servers: str

    async def create_topics(self, topics: Sequence[Topic[AnyJson] | RawTopic]) -> None:
        """Create these topics."""
        ...


@dataclass(frozen=True)
class Ingest:
    """A running process, its address and its secret."""

    http: httpx.AsyncClient
    port: int
    bootstrap_servers: str
    process: asyncio.subprocess.Process
    secret: str = SECRET

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def webhook(self, body: bytes, *, secret: str = SECRET) -> int:
        """Post a body as the platform signs it; give the status."""
        name, value = signed(body, secret)
        return (await self.http.post("/webhooks/whatsapp", content=body, headers={name: value})).status_code

    async def submit(self, body: AnyJson, *, to: str = "messages", **headers: str) -> httpx.Response:
        """Submit a body with the shop's key."""
        bearer = {"Authorization": f"Bearer {API_KEY}"}
        return await self.http.post(f"/v1/{to}", content=orjson.dumps(body), headers=bearer | headers)


@asynccontextmanager
async def running(
    bootstrap_servers: str, home: Path, business: Business, *, secrets_file: Path | None = None
) -> AsyncIterator[Ingest]:
    """Run the process while the block lasts; it ends with 0, and its log holds no secret."""
    (port,) = free_ports(1)
    (home / "business.yaml").write_text(business.model_dump_json())
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GARBO_")},
        "GARBO_INGEST_PORT": str(port),
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "GARBO_CONFIG": str(home / "business.yaml"),
        **(
            {"GARBO_WHATSAPP_APP_SECRETS_FILE": str(secrets_file)}
            if secrets_file
            else {"GARBO_WHATSAPP_APP_SECRETS": SECRET}
        ),
        "GARBO_WHATSAPP_VERIFY_TOKEN": "verify-token",
        "GARBO_HASH_KEY": HASH_KEY,
        "GARBO_GRAPH_URL": "http://127.0.0.1:9",
    }
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "garbo.ingest", env=environment, stderr=log, stdout=log
        )
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False) as http:
            try:
                await until(lambda: _ready(http))
                yield Ingest(http, port, bootstrap_servers, process)
            finally:
                if process.returncode is None:
                    process.terminate()
                code = await asyncio.wait_for(process.wait(), PATIENCE_S)
    said = (home / "log").read_text()
    assert code == 0, said
    assert "Traceback" not in said
    assert not [
        secret for secret in (SECRET, API_KEY, "16505551234", "393331234567", "ciao") if secret in said
    ]


@asynccontextmanager
async def running_on(kafka: SharedKafka, home: Path, business: Business) -> AsyncIterator[Ingest]:
    """Run it over this broker, with all topics."""
    await kafka.create_topics(OURS)
    async with running(kafka.bootstrap_servers, home, business) as ingest:
        yield ingest


async def _ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def fresh_webhook(**more: AnyJson) -> tuple[str, AnyJson]:
    """Give a body with one message whose id nobody has used."""
    body: AnyJson = orjson.loads((PAYLOADS / "stop_keyword_text.json").read_bytes())
    wamid = f"wamid.{uuid.uuid4().hex}"
    messages = body["entry"][0]["changes"][0]["value"]["messages"]
    messages[0] |= {"id": wamid, **more}
    return wamid, body


class Broker(Protocol):
    """Whatever says where Kafka is."""

    @property
    def bootstrap_servers(self) -> str:
        """Its address."""
        ...


async def records(
    on: Broker, topic: Topic[AnyJson] | RawTopic, *, about: str
) -> list[ConsumerRecord[bytes, bytes]]:
    """Read a topic to its present end; keep the records whose value mentions `about`."""
    consumer = AIOKafkaConsumer(bootstrap_servers=on.bootstrap_servers, max_partition_fetch_bytes=8 << 20)
    found: list[ConsumerRecord[bytes, bytes]] = []
    async with asyncio.timeout(PATIENCE_S):
        await consumer.start()
        try:
            parts = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(record for record in batch if about.encode() in (record.value or b""))
        finally:
            await consumer.stop()
    return found


def message(**more: AnyJson) -> dict[str, AnyJson]:
    """Give a request for one message."""
    content = {"type": "text", "text": {"body": "ciao"}}
    base = {"brand": "acme", "to": {"phone": "+393331234567"}, "purpose": "promo", "content": content}
    return base | more
