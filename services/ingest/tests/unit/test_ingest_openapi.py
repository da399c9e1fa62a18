"""Ingest's description: current, complete, and true of real bodies and answers."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from garbo.ingest.inbound.api import API
from garbo.ingest.inbound.gate import Gate
from libs.common.tests.support.openapi import assert_committed, body_faults, described, faults, served
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import PHONE, READER, SHOP
from services.ingest.tests.support.webhooks import signed

GOOD = (Path(__file__).parents[1] / "payloads" / "stop_keyword_text.json").read_bytes()
TO = {"phone": PHONE}
TEXT = {"type": "text", "text": {"body": "ciao"}}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/messages": {"brand": "acme", "to": TO, "purpose": "promo", "content": TEXT},
    "/v1/consents": {
        "brand": "acme",
        "to": TO,
        "action": "given",
        "source": "form",
        "occurred_at": "2026-09-01T10:00:00Z",
    },
    "/v1/cases": {"case_id": "C-1", "brand": "acme", "to": TO, "action": "opened"},
    "/v1/contacts": {"to": TO, "timezone": "America/New_York"},
    "/v1/campaigns": {"brand": "acme", "campaign": "summer", "action": "cancelled"},
    "/v1/reads": {"number": "100", "message_id": "wamid.x", "typing": True},
}


@pytest.fixture
def http(ingest_app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(ingest_app),
        base_url="http://ingest",
        headers={"Authorization": f"Bearer {SHOP}"},
    )


def test_the_committed_document_is_current_and_sound() -> None:
    assert_committed(API, "openapi-ingest.yaml")


def test_every_route_is_described_and_every_description_has_its_route(ingest_app: ASGIApp) -> None:
    assert isinstance(ingest_app, Gate)
    assert isinstance(ingest_app._rest, Starlette)
    handled = {(method, path) for path, methods in ingest_app._handlers.items() for method in methods}
    assert handled | served(ingest_app._rest.routes) == described(API)


@pytest.mark.parametrize("path", BODIES)
async def test_submissions_are_as_described(http: httpx.AsyncClient, path: str) -> None:
    body = BODIES[path]
    wrong = {**body, "colour": "red"}
    assert body_faults(API, "POST", path, body) == []
    assert body_faults(API, "POST", path, [body, body]) == []
    assert body_faults(API, "POST", path, wrong)
    answers = [
        await http.post(path, json=body),
        await http.post(path, json=[body]),
        await http.post(path, json=[wrong]),
        await http.post(path, content=b"{"),
        await http.post(path, json=body, headers={"Authorization": ""}),
        await http.post(path, json=body, headers={"Authorization": f"Bearer {READER}"}),
        await http.post(path, json=body, headers={"Content-Encoding": "gzip"}),
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 422, 400, 401, 403, 415]
    assert [fault for answer in answers for fault in faults(API, answer)] == []


async def test_other_answers_are_as_described(http: httpx.AsyncClient, event_log: MemoryEventLog) -> None:
    handshake = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "verify-token"}
    webhook = "/webhooks/whatsapp"
    signature = dict([signed(GOOD, "new-secret")])
    answers = [
        await http.get(webhook, params=handshake),
        await http.get(webhook),
        await http.post(webhook, content=GOOD, headers=signature),
        await http.post(webhook, content=GOOD),
        await http.get("/livez"),
        await http.get("/readyz"),
        await http.get("/metrics"),
        await http.get("/openapi.json"),
    ]
    event_log.down = True
    answers += [
        await http.post(webhook, content=GOOD, headers=signature),
        await http.post("/v1/messages", json=BODIES["/v1/messages"]),
    ]
    assert [answer.status_code for answer in answers] == [200, 403, 200, 401, 200, 503, 200, 200, 503, 503]
    assert [fault for answer in answers for fault in faults(API, answer)] == []
