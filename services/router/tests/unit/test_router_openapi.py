"""The API's own description: current, complete, and true of real answers."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.queries.comparison import Period
from garbo.router.flow.queries.contact import GetContact
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.flow.queries.simulation import Simulation
from garbo.router.inbound.http.api import Resource, http_app
from garbo.router.inbound.http.contacts import Contacts
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.http.openapi import openapi_document, openapi_yaml
from garbo.router.inbound.http.operations import OPERATIONS
from garbo.router.inbound.http.policies import PolicySimulations
from garbo.router.inbound.http.suppressions import Suppressions
from garbo.router.inbound.http.views.simulation import simulation_report
from garbo.router.outbound.simulation_process import simulate
from services.router.tests.support.build import (
    API_KEY,
    HASH_KEY,
    business,
    consent,
    inbound,
    requested,
    template,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_reading import InMemoryContactReader, InMemoryPreviewReader
from services.router.tests.support.router import Router

COMMITTED = Path(__file__).parents[4] / "docs" / "openapi-router.yaml"
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


def resources_of(router: Router, memory: InMemoryStore) -> list[Resource]:
    reading = GetContact(
        reader=InMemoryContactReader(memory),
        policies=PolicyInForce(router.policy),
        directory=Directory(router.business),
        hash_key=HASH_KEY,
    )
    return [
        Decisions(
            previews=PreviewRequests(router.dependencies, InMemoryPreviewReader(memory)), store=router.store
        ),
        Contacts(contacts=reading, erasing=EraseContact(router.dependencies)),
        Suppressions(suppress=ImportSuppressions(router.dependencies), hash_key=HASH_KEY),
        PolicySimulations(policies=PolicyInForce(router.policy), simulate=simulate),
    ]


@pytest.fixture
def http(router: Router, memory: InMemoryStore) -> httpx.AsyncClient:
    admin = {**business().clients[0].model_dump(), "scopes": ["read", "simulate", "admin"]}
    app = http_app(business(clients=[admin]), resources_of(router, memory), health=[])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://router",
        headers={"Authorization": f"Bearer {API_KEY}"},
    )


def faults(answer: object, schema: dict[str, Any]) -> list[str]:
    """Validate against a schema of the document."""
    document = openapi_document()
    whole = {**schema, "components": document["components"]}
    checker = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in checker.iter_errors(answer)]


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_the_committed_document_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == openapi_yaml(), "type: make generate"


def test_every_schema_is_a_schema_and_every_reference_leads_somewhere() -> None:
    document = openapi_document()
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        validator_for({}, Draft202012Validator).check_schema(schema)
    named = {part.split("'")[0] for part in str(document).split("#/components/schemas/")[1:]}
    assert named <= schemas.keys()


def test_every_route_is_described_and_every_description_has_its_route(
    router: Router, memory: InMemoryStore
) -> None:
    app = http_app(business(), resources_of(router, memory), health=[])
    served = {
        (method, str(getattr(route, "path", "")))
        for route in app.routes
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    }
    described = {(operation.method, operation.path) for operation in OPERATIONS}
    assert served - {("GET", "/openapi.json")} == described


async def test_the_document_is_served_to_anybody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/openapi.json", headers={"Authorization": ""})
    assert answer.json() == yaml.safe_load(openapi_yaml())


async def test_real_answers_are_as_described(http: httpx.AsyncClient, router: Router) -> None:
    await router.hear(consent())
    await router.hear(inbound("hello"))
    asked = requested()
    await router.ask(asked)
    phone = {"phone": "+393331234567"}
    found = (await http.post("/v1/contacts:find", json=phone)).json()
    contact = f"/v1/contacts/{found['contact_id']}"
    answers = {
        "DecisionMade": (await http.get(f"/v1/decisions/{asked.request_id}")).json(),
        "PeoplePreviewView": (await http.post("/v1/decisions:preview", json={**ASK, "to": [phone]})).json(),
        "ContactFound": found,
        "ContactView": (await http.get(f"{contact}?addresses=true")).json(),
        "ListTaken": (await http.post("/v1/suppressions", json=LIST)).json(),
        "ContactErased": (await http.delete(contact)).json(),
        "Problem": (await http.get("/v1/decisions/none")).json(),
    }
    for name, answer in answers.items():
        assert faults(answer, ref(name)) == [], name
    assert faults({**ASK, "to": [phone]}, ref("PreviewRequest")) == []
    assert faults({**ASK, "to": []}, ref("PreviewRequest"))
    assert faults(LIST, ref("SuppressionList")) == []


def test_a_report_is_as_described(router: Router) -> None:
    simulation = Simulation(current=router.policy, other=router.policy, period=Period(0, 1))
    report = simulation_report(simulation.comparison(), skipped=0).model_dump(mode="json")
    assert faults(report, ref("SimulationReport")) == []
