"""The HTTP API over a store in memory: who may ask, and what an error looks like."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from garbo.common.events.template_observed import TemplateObserved
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.inbound.http.api import http_app
from garbo.router.inbound.http.decisions import Decisions
from services.router.tests.support.build import API_KEY, business, consent, requested, template
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_reading import InMemoryPreviewReader
from services.router.tests.support.router import Router

ASK: dict[str, Any] = {
    "brand": "acme",
    "to": {"phone": "+393331234567"},
    "purpose": "promo",
    "content": template(),
}


def client_of(router: Router, *, key: str = API_KEY) -> httpx.AsyncClient:
    assert isinstance(router.store, InMemoryStore)
    previews = PreviewRequests(router.dependencies, InMemoryPreviewReader(router.store))
    decisions = Decisions(previews=previews, store=router.store)
    app = http_app(router.business, [decisions], health=[])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="http://router",
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )


async def test_a_decision_is_shown_with_its_history(router: Router) -> None:
    await router.hear(consent())
    asked = requested()
    await router.ask(asked)
    async with client_of(router) as http:
        current = await http.get(f"/v1/decisions/{asked.request_id}")
        history = await http.get(f"/v1/decisions/{asked.request_id}?history=true")
    assert (current.status_code, current.json()["verdict"]) == (200, "allow")
    assert [record["sequence"] for record in history.json()] == [1]


async def test_a_preview_writes_nothing(router: Router) -> None:
    async with client_of(router) as http:
        answer = await http.post("/v1/decisions:preview", json=[ASK, ASK])
    assert [record["reason"] for record in answer.json()] == ["not_opted_in"] * 2
    assert not router.publisher.told


async def test_a_preview_is_refused_for_a_template_as_the_request_would_be(
    router: Router, memory: InMemoryStore
) -> None:
    read = {"waba": "9001", "observed_at": memory.now}
    sale = TemplateObserved.model_validate({**read, "name": "sale", "language": "it", "status": "PAUSED"})
    until = memory.now + timedelta(hours=1)
    await router.hear(sale, TemplateObserved.model_validate({**read, "believed_until": until}))
    async with client_of(router) as http:
        answer = await http.post("/v1/decisions:preview", json=[ASK])
    (record,) = answer.json()
    assert (record["verdict"], record["reason"]) == ("deny", "template_paused")


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("GET", f"/v1/decisions/{UUID(int=1)}", "", 401),
        ("GET", f"/v1/decisions/{UUID(int=1)}", API_KEY, 404),
        ("GET", "/v1/decisions/none", API_KEY, 404),
        ("DELETE", f"/v1/decisions/{UUID(int=1)}", API_KEY, 405),
        ("GET", "/v1/nothing", API_KEY, 404),
        ("POST", "/v1/decisions:preview", API_KEY, 400),
    ],
)
async def test_every_error_is_problem_details(
    router: Router, method: str, path: str, key: str, status: int
) -> None:
    async with client_of(router, key=key) as http:
        answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_a_key_without_the_scope_is_refused(router: Router) -> None:
    router.business = business(clients=[{**business().clients[0].model_dump(), "scopes": ["publish"]}])
    async with client_of(router) as http:
        answer = await http.post("/v1/decisions:preview", json=ASK)
    assert (answer.status_code, answer.json()["detail"]) == (403, "This key needs the scope read.")


async def test_one_request_is_previewed_for_many_people(router: Router) -> None:
    await router.hear(consent())
    asked = requested()
    await router.ask(asked)
    people = [{"phone": "+393331234567"}, {"phone": "+393337654321"}, {"contact_id": str(uuid4())}]
    async with client_of(router) as http:
        answer = await http.post("/v1/decisions:preview", json={**ASK, "to": people})
        alone = await http.post("/v1/decisions:preview", json=ASK)
    shown = answer.json()
    assert [person["index"] for person in shown["people"]] == [0, 1, 2]
    assert [person["reason"] for person in shown["people"][1:]] == ["not_opted_in", "unknown_contact"]
    assert "contact_id" not in shown["people"][1]
    known, single = shown["people"][0], alone.json()
    for key in ("verdict", "reason", "rule", "next_allowed_at", "checks", "contact_id"):
        assert known.get(key) == single.get(key)
    assert sum(shown["totals"].values()) == 3


@pytest.mark.parametrize(
    ("people", "title"),
    [
        ([], "Wrong number of people"),
        ([{}] * 1001, "Wrong number of people"),
        ([{"phone": "1"}], "Not a person"),
    ],
    ids=["nobody", "too_many", "no_phone"],
)
async def test_an_odd_list_of_people_is_refused(router: Router, people: object, title: str) -> None:
    async with client_of(router) as http:
        answer = await http.post("/v1/decisions:preview", json={**ASK, "to": people})
    assert (answer.status_code, answer.json()["title"]) == (422, title)


UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"piority": 7}, "piority"),
    ({"to": {"phone": "+393331234567", "name": "x"}}, "to.name"),
    ({"content": {"type": "text", "text": {"body": "x", "bold": True}}}, "content.text.bold"),
    ({"override": {"rules": ["r"], "reason": "x", "until": "x"}}, "override.until"),
]


@pytest.mark.parametrize(("more", "field"), UNKNOWN, ids=[field for _, field in UNKNOWN])
async def test_a_preview_refuses_what_a_request_may_not_hold(
    router: Router, more: dict[str, Any], field: str
) -> None:
    async with client_of(router) as http:
        alone = await http.post("/v1/decisions:preview", json=ASK | more)
        listed = await http.post("/v1/decisions:preview", json=[ASK, ASK | more])
    assert [answer.status_code for answer in (alone, listed)] == [422, 422]
    assert (alone.json()["field"], listed.json()["index"]) == (field, 1)
    assert "is no field here" in alone.json()["detail"]


async def test_a_preview_for_many_people_refuses_unknown_fields_too(router: Router) -> None:
    person = {"phone": "+393331234567"}
    async with client_of(router) as http:
        misspelt = await http.post("/v1/decisions:preview", json=ASK | {"to": [person], "piority": 7})
        odd = await http.post("/v1/decisions:preview", json=ASK | {"to": [person, person | {"name": "x"}]})
    assert [answer.json()["field"] for answer in (misspelt, odd)] == ["piority", "name"]


async def test_a_preview_takes_null_as_absent(router: Router) -> None:
    optional = ["client", "request_id", "requested_at", "tags", "priority", "channel", "campaign"]
    async with client_of(router) as http:
        answer = await http.post("/v1/decisions:preview", json=ASK | dict.fromkeys(optional))
    assert answer.status_code == 200
