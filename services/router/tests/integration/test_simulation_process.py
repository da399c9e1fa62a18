"""Simulations over real PostgreSQL, in the process the router starts; and people read from it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import psutil  # type: ignore[import-untyped] # it has no types
import pytest

from garbo.common.events.ids import ContactId
from garbo.common.runtime.http import HttpServer
from garbo.common.runtime.postgres import Database
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.inbound.http.api import http_app
from garbo.router.inbound.http.policies import PolicySimulations, Simulate
from garbo.router.outbound.postgres.past import PostgresPast
from garbo.router.outbound.postgres.queries import PostgresContactReader
from garbo.router.outbound.simulation_process import simulate
from garbo.router.ports.queries import SimulationRunning
from services.router.tests.support.build import (
    API_KEY,
    HASH_KEY,
    PHONE,
    business,
    consent,
    inbound,
    requested,
)
from services.router.tests.support.router import Router
from tests.support.ports import free_ports

pytestmark = pytest.mark.integration
POLICY = Path(__file__).parents[1] / "payloads" / "policy.yaml"
STRICT = """
policy: strict
version: 1
classes: [ { id: promo } ]
rules:
  - { id: one-ever, type: cap, limit: 1, window: { rolling: 90d }, applies_to: {}, counts: {}, on_hit: deny }
"""


@pytest.fixture
def environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GARBO_POSTGRES_DSN", database._dsn)
    monkeypatch.setenv("GARBO_POLICY", str(POLICY))
    monkeypatch.setenv("GARBO_CONFIG", str(POLICY))
    monkeypatch.setenv("GARBO_HASH_KEY", HASH_KEY.decode())
    monkeypatch.setenv("GARBO_KAFKA_BOOTSTRAP_SERVERS", "unused:1")


def client_of(router: Router, simulate: Simulate = simulate) -> httpx.AsyncClient:
    clients = [{**business().clients[0].model_dump(), "scopes": ["read", "simulate"]}]
    known = business(clients=clients)
    resource = PolicySimulations(
        policies=PolicyInForce(router.policy), directory=Directory(known), simulate=simulate
    )
    app = http_app(known, [resource], health=[])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://router",
        headers={"Authorization": f"Bearer {API_KEY}"},
        timeout=60,
    )


async def ask_three(router: Router) -> None:
    """Ask three people for one promo each, and the first for a code as well."""
    phones = [f"+39333{uuid4().int % 10**7:07d}" for _ in range(3)]
    await router.hear(*(consent(to={"phone": phone}) for phone in phones))
    await router.ask(*(requested(to={"phone": phone}) for phone in phones))
    await router.ask(requested(to={"phone": phones[0]}, purpose="care"))


@pytest.mark.usefixtures("environment")
async def test_the_past_is_replayed_and_the_current_policy_agrees_with_it(stored: Router) -> None:
    await ask_three(stored)
    async with client_of(stored) as http:
        answer = await http.post("/v1/policies:simulate", json={"policy": STRICT})
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert (lines[0]["kind"], lines[-1]["kind"]) == ("progress", "report")
    report = lines[-1]
    assert (report["requests"], report["contacts"]) == (4, 3)
    assert report["agreement"]["share"] == 1.0, report
    assert report["other_policy"]["name"] == "strict"
    assert report["messages"]["other"]["sent"] == 3
    assert PHONE[1:6] not in answer.text


@pytest.mark.usefixtures("environment")
async def test_a_bad_policy_is_answered_with_all_that_is_wrong(stored: Router) -> None:
    wrong = STRICT.replace("limit: 1", "limit: -1").replace("type: cap", "type: cap, hurd: true")
    async with client_of(stored) as http:
        answer = await http.post("/v1/policies:simulate", json={"policy": wrong})
    assert (answer.status_code, answer.json()["title"]) == (422, "Not a policy")
    assert any("limit" in fault for fault in answer.json()["errors"])


@pytest.mark.usefixtures("environment")
async def test_one_simulation_at_a_time_over_all_routers(stored: Router, database: Database) -> None:
    running = await PostgresPast.connect(database._dsn)
    try:
        with pytest.raises(SimulationRunning):
            await PostgresPast.connect(database._dsn)
        async with client_of(stored) as http:
            answer = await http.post("/v1/policies:simulate", json={"policy": STRICT})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    finally:
        await running.close()


@pytest.mark.usefixtures("environment")
async def test_closing_the_answer_ends_the_process(stored: Router) -> None:
    before = {child.pid for child in psutil.Process().children()}
    lines = simulate(
        orjson.dumps(
            {
                "policy": STRICT,
                "current_version": "",
                "since": "2026-01-01T00:00Z",
                "until": "2026-01-02T00:00Z",
            }
        )
    )
    await anext(lines)
    await lines.aclose()
    assert {child.pid for child in psutil.Process().children()} <= before


async def test_who_hangs_up_ends_the_simulation(stored: Router) -> None:
    closed = asyncio.Event()

    async def endless(job: bytes) -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b'{"kind":"progress","done":0,"total":1}\n'
                await asyncio.sleep(0)
        finally:
            closed.set()

    body = orjson.dumps({"policy": STRICT})
    asked = iter([{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}])
    sent: list[dict[str, Any]] = []
    clients = [{**business().clients[0].model_dump(), "scopes": ["simulate"]}]
    known = business(clients=clients)
    resource = PolicySimulations(
        policies=PolicyInForce(stored.policy), directory=Directory(known), simulate=endless
    )
    app = http_app(known, [resource], health=[])

    async def receive() -> Any:  # noqa: ANN401 - ASGI
        return next(asked)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/policies:simulate",
        "raw_path": b"/v1/policies:simulate",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {API_KEY}".encode())],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("router", 80),
    }
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    assert closed.is_set()
    assert not resource._running
    assert sent[0]["status"] == 200


async def test_a_closed_connection_ends_the_simulation(stored: Router) -> None:
    closed = asyncio.Event()

    async def endless(job: bytes) -> AsyncGenerator[bytes]:
        try:
            yield b'{"kind":"progress","done":0,"total":1}\n'
            await asyncio.Event().wait()
        finally:
            closed.set()

    clients = [{**business().clients[0].model_dump(), "scopes": ["simulate"]}]
    known = business(clients=clients)
    resource = PolicySimulations(
        policies=PolicyInForce(stored.policy), directory=Directory(known), simulate=endless
    )
    (port,) = free_ports(1)
    server = HttpServer(http_app(known, [resource], health=[]), host="127.0.0.1", port=port)
    await server.start()
    try:
        url, headers = f"http://127.0.0.1:{port}/v1/policies:simulate", {"Authorization": f"Bearer {API_KEY}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
            async with http.stream("POST", url, json={"policy": STRICT}) as answer:
                assert await anext(answer.aiter_lines()) == '{"kind":"progress","done":0,"total":1}'
                busy = await http.post(url, json={"policy": STRICT})
                assert busy.status_code == 429
            async with asyncio.timeout(10):
                await closed.wait()
    finally:
        await server.stop()


async def test_a_person_is_read_and_exported_with_everything(stored: Router, database: Database) -> None:
    await stored.hear(consent())
    await stored.hear(inbound("hello"))
    (decided,) = await stored.ask(requested())
    assert decided.contact_id is not None
    reader = PostgresContactReader(database)
    held = await reader.contact(ContactId(decided.contact_id))
    assert held is not None
    assert [(a.kind, a.value) for a in held.addresses] == [("phone", PHONE)]
    assert [send.message_id for send in held.state.sends] == [decided.message_id]
    assert await reader.contact_at(held.addresses[0].hash) == held.contact_id
    export = await reader.export(held.contact_id)
    assert export is not None
    assert [row["records"][0]["verdict"] for row in export["decision"]] == ["allow"]
    assert [row["message_id"] for row in export["send_grant"]] == [str(decided.message_id)]
    assert [row["value"] for row in export["alias"]] == [PHONE]
    assert export["recipient_state"][0]["state"]["sends"]
    assert orjson.dumps(export)


async def test_nobody_is_read_as_nobody(database: Database) -> None:
    reader = PostgresContactReader(database)
    assert await reader.contact(ContactId(uuid4())) is None
    assert await reader.export(ContactId(uuid4())) is None
    assert await reader.contact_at("0" * 32) is None
