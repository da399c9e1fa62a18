"""The whole router on real Kafka and PostgreSQL, and its admin API over a socket."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest
import yaml
from aiokafka import AIOKafkaConsumer

from garbo.common.events.base import Event
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.grants import SendGranted
from garbo.common.events.topics import (
    CONSENT_RECORDED,
    DECISION_MADE,
    INBOUND_MESSAGE,
    RAW_TOPICS,
    SEND_PROMO,
    SEND_REQUESTED,
    TOPICS,
    Topic,
)
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing
from garbo.common.runtime.producer import Producer
from libs.common.tests.support.waiting import until
from services.router.tests.support.build import API_KEY, HASH_KEY, business, consent, inbound, requested
from tests.support.ports import free_ports
from tests.support.servers import SharedKafka, SharedPostgres

pytestmark = pytest.mark.integration
DEADLINE_S = 60
POLICY = Path(__file__).parents[1] / "payloads" / "policy.yaml"


@dataclass
class Running:
    base: str
    kafka: SharedKafka
    producer: Producer
    process: asyncio.subprocess.Process
    policy: Path

    async def publish(self, topic: Topic[Any], *events: Event) -> None:
        await self.producer.publish([outgoing(topic, e, key="k", source="test") for e in events])

    async def read(self, topic: Topic[Any], message_id: object, *, count: int) -> list[bytes]:
        """Read a topic from its start until `count` records about a message came."""
        found: list[bytes] = []
        consumer = AIOKafkaConsumer(
            topic.name, bootstrap_servers=self.kafka.bootstrap_servers, auto_offset_reset="earliest"
        )
        async with asyncio.timeout(DEADLINE_S):
            await consumer.start()
            try:
                while len(found) < count:
                    record = await consumer.getone()
                    if record.value and str(message_id).encode() in record.value:
                        found.append(record.value)
            finally:
                await consumer.stop()
        return found

    async def call(self, path: str, body: object = None, *, key: str = API_KEY) -> tuple[int, Any]:
        def answer() -> tuple[int, Any]:
            data = None if body is None else json.dumps(body, default=str).encode()
            request = Request(self.base + path, data=data, headers={"Authorization": f"Bearer {key}"})
            try:
                with urlopen(request, timeout=10) as response:
                    return response.status, response.read()
            except HTTPError as error:
                return error.code, error.read()

        status, content = await asyncio.to_thread(answer)
        return status, json.loads(content) if content[:1] in (b"{", b"[") else content.decode()


@pytest.fixture(scope="module")
async def running(
    kafka: SharedKafka, postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    await kafka.create_topics([*TOPICS, *RAW_TOPICS])
    dsn = postgres.as_services(postgres.database("router"), "router")["router"]
    folder = tmp_path_factory.mktemp("router")
    config, policy = folder / "business.yaml", folder / "policy.yaml"
    policy.write_bytes(POLICY.read_bytes())
    config.write_text(yaml.safe_dump(_plain(business().model_dump(mode="python"))))
    (port,) = free_ports(1)
    environment = {
        "PATH": os.environ["PATH"],
        "GARBO_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "GARBO_POSTGRES_DSN": dsn,
        "GARBO_CONFIG": str(config),
        "GARBO_POLICY": str(policy),
        "GARBO_HASH_KEY": HASH_KEY.decode(),
        "GARBO_ROUTER_PORT": str(port),
    }
    producer = Producer(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap_servers), service="test")
    await producer.start()
    async with _process(environment) as process:
        running = Running(f"http://127.0.0.1:{port}", kafka, producer, process, policy)
        await _ready(running)
        yield running
    await producer.stop()
    assert process.returncode == 0, "SIGTERM ends the process cleanly"


async def test_a_changed_policy_is_in_force_without_a_restart_and_a_bad_one_is_not(running: Running) -> None:
    async def version() -> str:
        asked = requested(to={"phone": "+393331112223"}).model_dump(mode="json")
        _, preview = await running.call("/v1/decisions:preview", asked)
        return str(preview["policy_version"])

    async def shows(line: str) -> bool:
        _, metrics = await running.call("/metrics")
        return line in metrics

    good = running.policy.read_bytes()
    changed = good + b"# changed\n"
    running.policy.write_bytes(changed)
    await until(version, lambda seen: seen == _version(changed))
    running.policy.write_bytes(good + b"colour: red\n")
    await until(lambda: shows("garbo_router_policy_refused 1.0"))
    assert await version() == _version(changed)
    running.policy.write_bytes(good)
    await until(version, lambda seen: seen == _version(good))
    assert await shows("garbo_router_policy_refused 0.0")


async def test_request_walks_to_a_grant_and_its_repeat_says_the_same(running: Running) -> None:
    to = {"phone": f"+39333{uuid4().int % 10**7:07d}"}
    asked = requested(to=to)
    await running.publish(CONSENT_RECORDED, consent(to=to))
    await _until_counted(running, to)
    await running.publish(SEND_REQUESTED, asked)
    await running.read(SEND_PROMO, asked.message_id, count=1)
    await running.publish(SEND_REQUESTED, asked)
    decided = await running.read(DECISION_MADE, asked.message_id, count=2)
    assert decided[0] == decided[1]
    granted = await running.read(SEND_PROMO, asked.message_id, count=2)
    assert granted[0] == granted[1]
    decision, grant = (
        DecisionMade.model_validate_json(decided[0]),
        SendGranted.model_validate_json(granted[0]),
    )
    assert decision.grant is not None
    assert (decision.verdict, decision.grant.id) == ("allow", grant.grant_id)
    status, shown = await running.call(f"/v1/decisions/{asked.request_id}?client=crm")
    assert (status, shown["verdict"], shown["sequence"]) == (200, "allow", 1)
    await running.publish(INBOUND_MESSAGE, inbound("STOP", sender=to))
    story = await running.read(DECISION_MADE, asked.message_id, count=3)
    assert DecisionMade.model_validate_json(story[2]).reason == "revoked"
    status, shown = await running.call(f"/v1/decisions/{asked.request_id}")
    assert (shown["verdict"], shown["sequence"]) == ("deny", 2)


async def test_preview_says_what_would_be_decided(running: Running) -> None:
    ask = {"brand": "acme", "to": {"phone": "+393330000001"}, "purpose": "promo", "content": {"type": "text"}}
    ask["content"] = {"type": "template", "template": {"name": "sale", "language": {"code": "it"}}}
    status, answer = await running.call("/v1/decisions:preview", [ask, {**ask, "purpose": "care"}])
    assert status == 200
    assert [a["reason"] for a in answer] == ["not_opted_in"] * 2
    status, single = await running.call("/v1/decisions:preview", ask)
    assert (status, single["verdict"]) == (200, "deny")


@pytest.mark.parametrize(
    ("path", "body", "key", "status", "title"),
    [
        ("/v1/decisions:preview", [], API_KEY, 422, "Wrong number of requests"),
        ("/v1/decisions:preview", [{}] * 1001, API_KEY, 422, "Wrong number of requests"),
        ("/v1/decisions:preview", [{"brand": "acme"}], API_KEY, 422, "Not a request"),
        ("/v1/decisions:preview", [1], API_KEY, 422, "Not a request"),
        ("/v1/decisions:preview", {"client": "desk"}, API_KEY, 403, "Not your client"),
        ("/v1/decisions:preview", {}, "wrong", 401, "Unknown API key"),
        (f"/v1/decisions/{UUID(int=1)}", None, API_KEY, 404, "No such decision"),
        ("/v1/decisions/none", None, API_KEY, 404, "No such decision"),
        (f"/v1/decisions/{UUID(int=1)}", None, "", 401, "Unknown API key"),
    ],
)
async def test_wrong_calls_get_a_clear_answer(
    running: Running, path: str, body: object, key: str, status: int, title: str
) -> None:
    code, answer = await running.call(path, body, key=key)
    assert (code, answer["title"]) == (status, title)


async def test_metrics_name_classes_and_reasons_and_nobody(running: Running) -> None:
    asked = requested(to={"phone": "+393330000777"}, client="nobody")
    await running.publish(SEND_REQUESTED, asked)
    await running.read(DECISION_MADE, asked.message_id, count=1)
    status, text = await running.call("/metrics")
    assert status == 200
    assert 'garbo_router_decisions_total{class="none",reason="unknown_client",verdict="deny"}' in text
    assert "39333" not in text


@asynccontextmanager
async def _process(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "garbo.router", env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(DEADLINE_S):
                await process.wait()


async def _ready(running: Running) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            assert running.process.returncode is None, "the router ended at its start"
            try:
                status, _ = await running.call("/readyz")
            except OSError:
                status = 0
            if status == 200:
                return
            await asyncio.sleep(0.1)


async def _until_counted(running: Running, to: dict[str, str]) -> None:
    """Wait until the consent is known: a preview allows."""
    ask = {
        "brand": "acme",
        "to": to,
        "purpose": "promo",
        "content": {"type": "template", "template": {"name": "sale", "language": {"code": "it"}}},
    }
    async with asyncio.timeout(DEADLINE_S):
        while (await running.call("/v1/decisions:preview", ask))[1]["verdict"] != "allow":
            pass


def _version(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value
    """Write tuples and secrets as YAML can hold them."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str() | int() | float() | bool():
            return value
        case _:
            return value.get_secret_value()
