"""The whole installation as an end-to-end test sees it: addresses, keys, and what one may do there."""

import hashlib
import hmac
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from garbo.cli.connection import kafka_of
from garbo.cli.rights.table import OPERATOR, user_of
from garbo.cli.up.environment import DEMO_KEYS
from garbo.cli.up.plan import Ports, port_variable, read_plan
from garbo.common.events.topics import SERVICES as WITH_DEAD_LETTERS
from garbo.common.events.topics import dead_letters
from garbo.common.runtime.broker import KafkaSettings
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

T = TypeVar("T")
Json = dict[str, Any]

START_S: Final = 150.0
"""A first start downloads Kafka's jars."""
STOP_S: Final = 20.0
SERVICES: Final = ("ingest", "analytics", "router", "sender", "simulator")
POLL_S: Final = 0.1
NUMBER: Final = "106540352242922"
"""The first sending number of the demo's business file."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running installation: one address a service, the demo client's key, the app secret."""

    urls: Mapping[str, str]
    kafka: KafkaSettings
    api_key: str
    app_secret: str
    number: str
    data: Path | None = None
    """The data folder, when the installation runs on this machine."""
    environ: Mapping[str, str] = field(default_factory=dict)

    def http(self, *, timeout_s: float = 30.0) -> httpx.AsyncClient:
        """Open a client; paths are full addresses from `urls`.

        They are plain HTTP: reading all certificates anew would take 25 ms a call.
        """
        return httpx.AsyncClient(timeout=timeout_s, verify=False)

    async def get(self, service: str, path: str) -> Any:  # noqa: ANN401 - JSON is any value
        """Read a JSON answer; raises for an error status."""
        async with self.http() as client:
            answer = await client.get(f"{self.urls[service]}{path}", headers=self._bearer())
        answer.raise_for_status()
        return answer.json()

    async def post(self, service: str, path: str, body: object, **headers: str) -> httpx.Response:
        """Post JSON with the client's key; the status is the caller's to judge."""
        return await self._send("POST", service, path, body, headers)

    async def patch(self, service: str, path: str, body: object) -> httpx.Response:
        """Change a part of something; the status is the caller's to judge."""
        return await self._send("PATCH", service, path, body, {})

    async def publish(self, requests: Sequence[Json]) -> None:
        """Publish requests in arrays of 1,000; each must be answered 202."""
        for some in _thousands(requests):
            answer = await self.post("ingest", "/v1/messages", list(some))
            if answer.status_code != httpx.codes.ACCEPTED:
                raise AssertionError(f"publish: {answer.status_code} {answer.text[:400]}")

    async def opt_in(self, phones: Sequence[str]) -> None:
        """Record marketing consents; returns when the router knows each of them."""
        now = datetime.now(UTC).isoformat()
        for some in _thousands(phones):
            consents = [
                {
                    "brand": "acme",
                    "to": {"phone": phone},
                    "action": "given",
                    "source": "form",
                    "occurred_at": now,
                }
                for phone in some
            ]
            answer = await self.post("ingest", "/v1/consents", consents)
            if answer.status_code != httpx.codes.ACCEPTED:
                raise AssertionError(f"consents: {answer.status_code} {answer.text[:400]}")

        async def unknown() -> int:
            decisions = [
                d for some in _thousands(phones) for d in await self.preview([request(p) for p in some])
            ]
            return sum(decision["reason"] == "not_opted_in" for decision in decisions)

        await until(unknown, lambda count: count == 0)

    async def preview(self, requests: Sequence[Json]) -> list[Json]:
        """Ask the router "may I, and when?"; at most 1,000 at once."""
        answer = await self.post("router", "/v1/decisions:preview", list(requests))
        if answer.status_code != httpx.codes.OK:
            raise AssertionError(f"preview: {answer.status_code} {answer.text[:400]}")
        decisions: list[Json] = answer.json()
        return decisions

    async def webhook(self, body: bytes, *, secret: str | None = None) -> int:
        """Post a webhook body signed with the app secret (or another); returns the status."""
        key = (self.app_secret if secret is None else secret).encode()
        signature = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        async with self.http() as client:
            answer = await client.post(
                f"{self.urls['ingest']}/webhooks/whatsapp",
                content=body,
                headers={"X-Hub-Signature-256": signature, "Content-Type": "application/json"},
            )
        return answer.status_code

    async def counts(self) -> dict[str, int]:
        """Read what analytics counted."""
        counted: dict[str, int] = await self.get("analytics", "/v1/counts")
        return counted

    async def ledger(self, *, after: int = 0) -> list[Json]:
        """Read all sends the simulator accepted after this sequence number."""
        entries: list[Json] = []
        while page := await self.get("simulator", f"/ledger?after={after}&limit=10000"):
            entries += page
            after = page[-1]["seq"]
        return entries

    async def dead_letters(self) -> int:
        """Count the dead letters of all services."""
        consumer = AIOKafkaConsumer(**self.kafka.connection())
        await consumer.start()
        try:
            topics = [dead_letters(service) for service in WITH_DEAD_LETTERS]
            partitions = [TopicPartition(t.name, p) for t in topics for p in range(t.partitions)]
            return int(sum((await consumer.end_offsets(partitions)).values()))
        finally:
            await consumer.stop()

    async def story(self, request_id: str) -> Json | None:
        """Read a message's story; None while analytics does not know it."""
        async with self.http() as client:
            answer = await client.get(
                f"{self.urls['analytics']}/v1/messages/{request_id}", headers=self._bearer()
            )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        story: Json = answer.json()
        return story

    async def _send(
        self, method: str, service: str, path: str, body: object, headers: dict[str, str]
    ) -> httpx.Response:
        sent = self._bearer() | {"Content-Type": "application/json"} | headers
        address = f"{self.urls[service]}{path}"
        async with self.http() as client:
            return await client.request(method, address, content=orjson.dumps(body), headers=sent)

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


def _thousands(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut into arrays as large as the API takes."""
    for start in range(0, len(items), 1000):
        yield items[start : start + 1000]


def request(phone: str, *, purpose: str = "promo", **more: Any) -> Json:  # noqa: ANN401 - JSON is any value
    """Make a request body for one phone: a promo template unless told otherwise."""
    return {
        "request_id": str(uuid4()),
        "brand": "acme",
        "to": {"phone": phone},
        "purpose": purpose,
        "content": {"type": "template", "template": {"name": "summer_sale", "language": {"code": "it"}}},
    } | more


@contextmanager
def local_stack(data: Path, environ: Mapping[str, str], *, arguments: Sequence[str] = ()) -> Iterator[Stack]:
    """Run `garbo up` with a data folder and ports of its own; stop it as a person would, and check that."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GARBO_")} | dict(environ)
    env |= {"GARBO_DATA": str(data)} | _own_ports()
    log = data.parent / f"{data.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "garbo.cli", "up", *arguments], env=env, stdout=out, stderr=out
        )
    try:
        stack = _stack_at(env)
        _wait_ready(stack, process, log)
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"garbo up did not stop within {STOP_S:.0f} s:\n{_tail(log)}") from None
    if code:
        raise AssertionError(f"garbo up ended with {code}:\n{_tail(log)}")


def stack_from_environment(env: Mapping[str, str]) -> Stack | None:
    """Read an installation that already runs from GARBO_TEST_STACK_*; None when there is none."""
    if "GARBO_TEST_STACK_INGEST" not in env:
        return None
    return Stack(
        urls={name: env[f"GARBO_TEST_STACK_{name.upper()}"].rstrip("/") for name in SERVICES},
        kafka=_kafka_told(env),
        api_key=env["GARBO_TEST_STACK_API_KEY"],
        app_secret=env["GARBO_TEST_STACK_APP_SECRET"],
        number=env.get("GARBO_TEST_STACK_NUMBER", NUMBER),
    )


def _kafka_told(env: Mapping[str, str]) -> KafkaSettings:
    """Read where the broker is, and as which of its superusers we may look into everything."""
    told = {"GARBO_KAFKA_BOOTSTRAP_SERVERS": env["GARBO_TEST_STACK_KAFKA"]}
    if password := env.get("GARBO_TEST_STACK_KAFKA_PASSWORD"):
        told |= {
            "GARBO_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "GARBO_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "GARBO_KAFKA_SASL_USERNAME": user_of(OPERATOR),
            "GARBO_KAFKA_SASL_PASSWORD": password,
        }
    return kafka_of(told)


def _stack_at(env: Mapping[str, str]) -> Stack:
    plan = read_plan(env)
    return Stack(
        urls={name: plan.url(name) for name in SERVICES},
        kafka=KafkaSettings(plan.bootstrap_servers),
        api_key=DEMO_KEYS["shop"],
        app_secret=env["GARBO_WHATSAPP_APP_SECRETS"],
        number=NUMBER,
        data=plan.data,
        environ=dict(env),
    )


def _wait_ready(stack: Stack, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    with httpx.Client(timeout=2.0) as client:
        waiting = list(stack.urls)
        while waiting:
            waiting = [name for name in waiting if not _answers(client, stack.urls[name])]
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"garbo up is not ready ({', '.join(waiting)}):\n{_tail(log)}")
            time.sleep(POLL_S)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _own_ports() -> dict[str, str]:
    names = Ports.__slots__
    return {port_variable(name): str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}


def _tail(log: Path, lines: int = 60) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
