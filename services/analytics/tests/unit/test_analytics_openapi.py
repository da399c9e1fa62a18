"""The description of the query API: current, complete, and true of real answers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from garbo.analytics.domain.observe import observe
from garbo.analytics.flow import Queries
from garbo.analytics.inbound.http.app import API, http_app
from garbo.analytics.inbound.http.security_headers import SecurityHeaders
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.common.runtime.health import health_routes
from libs.common.tests.support.clock import FixedClock
from libs.common.tests.support.openapi import assert_committed, described, faults, served
from services.analytics.tests.support.fakes import FakeFacts
from services.analytics.tests.support.guards import guard_of
from services.analytics.tests.support.journeys import NOON, Journey

READ = Journey()
HELD = Journey(begun_at=NOON + timedelta(seconds=30))
WAITS = Journey(begun_at=NOON + timedelta(seconds=10), campaign="autumn")
FAILED = Journey(begun_at=NOON + timedelta(seconds=20))


@pytest.fixture
async def store() -> FakeFacts:
    store = FakeFacts()
    read = [READ.requested(), READ.allowed(), READ.result("accepted"), READ.status("read"), *READ.answered()]
    held = [HELD.requested(), HELD.held_by_cap()]
    waits = [WAITS.requested(), WAITS.put_off("quiet", until=3600)]
    failed = [FAILED.requested(), FAILED.allowed(), FAILED.result("failed", code=131026)]
    await store.upsert(observe([*read, *held, *waits, *failed]))
    return store


@pytest.fixture
def app(store: FakeFacts) -> SecurityHeaders:
    queries = Queries(store, FixedClock(NOON + timedelta(minutes=3)))
    return http_app(
        queries,
        LiveFunnel(queries, subscribers_count=0),
        guard_of(),
        health=health_routes(alive={}, ready={}),
    )


@pytest.fixture
async def client(app: SecurityHeaders) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


def test_the_committed_document_is_current_and_sound() -> None:
    assert_committed(API, "openapi-analytics.yaml")


def test_every_route_is_described_and_every_description_has_its_route(app: SecurityHeaders) -> None:
    assert isinstance(app._app, Starlette)
    assert served(app._app.routes) == described(API)


async def test_real_answers_are_as_described(client: httpx.AsyncClient, store: FakeFacts) -> None:
    await store.upsert(observe([Journey(request_id=HELD.request_id, client="crm").requested()]))
    paths = {
        "/v1/counts": 200,
        "/v1/funnel?since=15m": 200,
        "/v1/messages": 200,
        f"/v1/messages/{READ.request_id}": 200,
        f"/v1/messages/{HELD.request_id}?client=shop": 200,
        f"/v1/messages/{WAITS.request_id}": 200,
        f"/v1/messages/{FAILED.request_id}": 200,
        f"/v1/messages/{HELD.request_id}": 300,
        f"/v1/messages/{UUID(int=1)}": 404,
        "/v1/messages/12345": 422,
        "/v1/funnel?lane=vip": 422,
        "/v1/stream?since=7d": 422,
        "/v1/stream": 503,
        "/livez": 200,
        "/metrics": 200,
        "/openapi.json": 200,
    }
    answers = [await client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == list(paths.values())
    assert [fault for answer in answers for fault in faults(API, answer)] == []
