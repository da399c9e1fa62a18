"""The API's own description: current, complete, and true of real answers."""

from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml

from garbo.common.contracts.openapi import openapi_yaml
from garbo.common.runtime.health import health_routes
from garbo.router.flow.queries.comparison import Period
from garbo.router.flow.queries.simulation import Simulation
from garbo.router.inbound.http.api import API, http_app
from garbo.router.inbound.http.views.simulation import simulation_report
from libs.common.tests.support.openapi import (
    assert_committed,
    body_faults,
    described,
    faults,
    served,
    validation,
)
from services.router.tests.support.build import (
    API_KEY,
    business,
    consent,
    inbound,
    requested,
    template,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.resources import resources_of
from services.router.tests.support.router import Router

ASK: dict[str, Any] = {
    "brand": "acme",
    "to": {"phone": "+393331234567"},
    "purpose": "promo",
    "content": template(),
    "campaign": "summer",
}
LIST = {
    "brand": "acme",
    "source": "register",
    "as_of": "2026-05-01T00:00:00Z",
    "addresses": [{"phone": "+393331234567"}],
}


@pytest.fixture
def http(router: Router, memory: InMemoryStore) -> httpx.AsyncClient:
    admin = {**business().clients[0].model_dump(), "scopes": ["read", "simulate", "admin"]}
    health = health_routes(alive={}, ready={})
    app = http_app(business(clients=[admin]), resources_of(router, memory), health=health)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://router",
        headers={"Authorization": f"Bearer {API_KEY}"},
    )


def test_the_committed_document_is_current_and_sound() -> None:
    assert_committed(API, "openapi-router.yaml")


def test_every_route_is_described_and_every_description_has_its_route(
    router: Router, memory: InMemoryStore
) -> None:
    health = health_routes(alive={}, ready={})
    app = http_app(business(), resources_of(router, memory), health=health)
    assert served(app.routes) == described(API)


async def test_the_document_is_served_to_anybody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/openapi.json", headers={"Authorization": ""})
    assert answer.json() == yaml.safe_load(openapi_yaml(API))
    assert faults(API, answer) == []


async def test_real_answers_are_as_described(http: httpx.AsyncClient, router: Router) -> None:
    await router.hear(consent())
    await router.hear(inbound("hello"))
    asked = requested()
    await router.ask(asked)
    phone = {"phone": "+393331234567"}
    found = await http.post("/v1/contacts:find", json=phone)
    contact = f"/v1/contacts/{found.json()['contact_id']}"
    answers = [
        found,
        await http.get(f"/v1/decisions/{asked.request_id}"),
        await http.get(f"/v1/decisions/{asked.request_id}?history=true"),
        await http.post("/v1/decisions:preview", json={**ASK, "to": [phone]}),
        await http.post("/v1/decisions:preview", json=[ASK]),
        await http.get(f"{contact}?addresses=true"),
        await http.get(f"{contact}:export"),
        await http.post("/v1/suppressions", json=LIST),
        await http.delete(contact),
        await http.get("/readyz"),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert [fault for answer in answers for fault in faults(API, answer)] == []


async def test_refusals_are_as_described(http: httpx.AsyncClient) -> None:
    answers = [
        await http.get("/v1/decisions/none"),
        await http.get(f"/v1/contacts/{UUID(int=1)}"),
        await http.get(f"/v1/contacts/{UUID(int=1)}:export"),
        await http.post("/v1/contacts:find", json={}),
        await http.post("/v1/contacts:find", content=b"{"),
        await http.post("/v1/decisions:preview", json=[]),
        await http.post("/v1/suppressions", json=LIST, headers={"Authorization": ""}),
        await http.post("/v1/suppressions", json={**LIST, "brand": "other"}),
        await http.post("/v1/policies:simulate", json={}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 422, 400, 422, 401, 403, 422]
    assert [fault for answer in answers for fault in faults(API, answer)] == []


def test_bodies_are_as_described() -> None:
    phone = {"phone": "+393331234567"}
    preview = ("POST", "/v1/decisions:preview")
    assert body_faults(API, *preview, {**ASK, "to": [phone]}) == []
    assert body_faults(API, *preview, [ASK]) == []
    assert body_faults(API, *preview, {**ASK, "to": []})
    assert body_faults(API, "POST", "/v1/suppressions", LIST) == []


def test_a_report_is_as_described(router: Router) -> None:
    simulation = Simulation(current=router.policy, other=router.policy, period=Period(0, 1))
    report = simulation_report(simulation.comparison(), skipped=0).model_dump(mode="json")
    assert validation(API, {"schema": {"$ref": "#/components/schemas/SimulationReport"}}, report) == []
