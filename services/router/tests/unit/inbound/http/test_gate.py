"""Every operation with every kind of key: without key, scope or dealings with a person nothing is learned."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeAlias
from uuid import uuid4

import httpx
import orjson
import pytest
from starlette.types import ASGIApp

from garbo.router.domain.policy import Policy
from garbo.router.inbound.http.api import API, http_app
from garbo.router.inbound.http.auth import MOST_READ_AT_ONCE
from libs.common.tests.support.waiting import until
from services.router.tests.support.build import (
    CARE_NUMBER,
    OTHER_NUMBER,
    PHONE,
    business,
    case,
    consent,
    inbound,
    requested,
    template,
)
from services.router.tests.support.in_memory import contact_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import OPT_IN
from services.router.tests.support.resources import resources_of
from services.router.tests.support.router import Router

SCOPES: Final = ("publish", "read", "simulate", "admin")
REQUEST: Final = requested(request_id=uuid4())
PREVIEW: Final = {"brand": "bolt", "purpose": "promo", "content": template()}
LIST: Final = {"source": "old", "as_of": "2026-01-01T00:00:00Z", "addresses": [{"phone": PHONE}]}
Call: TypeAlias = Callable[[httpx.AsyncClient, str], Any]
"""Calls an operation about a contact."""


def _simulate(http: httpx.AsyncClient, _: str) -> Any:  # noqa: ANN401 - awaited
    return http.post("/v1/policies:simulate", json={"policy": "policy: x", "brand": "acme"})


def _suppress(http: httpx.AsyncClient, _: str) -> Any:  # noqa: ANN401 - awaited
    return http.post("/v1/suppressions", json={**LIST, "brand": "acme"})


def _preview(http: httpx.AsyncClient, contact_id: str) -> Any:  # noqa: ANN401 - awaited
    return http.post("/v1/decisions:preview", json={**PREVIEW, "to": {"contact_id": contact_id}})


CALLS: Final[Mapping[str, tuple[str, Call, int]]] = {
    "findContact": ("read", lambda http, _: http.post("/v1/contacts:find", json={"phone": PHONE}), 404),
    "showContact": ("read", lambda http, who: http.get(f"/v1/contacts/{who}"), 404),
    "exportContact": ("admin", lambda http, who: http.get(f"/v1/contacts/{who}:export"), 404),
    "eraseContact": ("admin", lambda http, who: http.delete(f"/v1/contacts/{who}"), 404),
    "splitContact": ("admin", lambda http, who: http.post(f"/v1/contacts/{who}:split"), 404),
    "suppress": ("admin", _suppress, 403),
    "simulatePolicy": ("simulate", _simulate, 403),
    "previewDecisions": ("read", _preview, 200),
    "showDecision": ("read", lambda http, _: http.get(f"/v1/decisions/{REQUEST.request_id}"), 404),
}
"""Operation -> the scope it needs, a call, and what a brand that never dealt with the person hears."""
GUARDED: Final = {operation.id: operation for operation in API.operations if operation.scope is not None}


def key_of(brands: Sequence[str], scopes: Sequence[str]) -> str:
    """Name the key of a client with these brands and scopes."""
    return f"key-{'-'.join((*brands, *scopes))}"


def client(brands: Sequence[str], scopes: Sequence[str]) -> Mapping[str, Any]:
    """Give a client with a key of its own."""
    key = key_of(brands, scopes)
    return {
        "id": key,
        "keys_sha256": [sha256(key.encode()).hexdigest()],
        "brands": brands,
        "purposes": ["care", "promo"],
        "scopes": scopes,
    }


CLIENTS: Final = [
    client(brands, scopes)
    for brands in (("acme",), ("bolt",), ("acme", "bolt"))
    for scopes in (SCOPES, *(tuple(s for s in SCOPES if s != missing) for missing in SCOPES))
]


@pytest.fixture
async def guarded(memory: InMemoryStore, make_policy: Callable[..., Policy]) -> Router:
    """Give a router that knows one person, who only ever dealt with acme."""
    known = [client_of_file.model_dump() for client_of_file in business().clients]
    router = Router(memory, make_policy(OPT_IN), business=business(clients=[*known, *CLIENTS]))
    await router.hear(consent(), inbound("hello", number=CARE_NUMBER))
    await router.hear(case("opened", case_id="case-7", client="desk"))
    await router.ask(REQUEST)
    return router


def http_of(
    router: Router, memory: InMemoryStore, key: str | None, app: ASGIApp | None = None
) -> httpx.AsyncClient:
    """Give a caller with a key, or with none."""
    app = app or http_app(router.business, resources_of(router, memory), health=[])
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://router", headers=headers)


def test_every_operation_that_wants_a_key_stands_in_the_table() -> None:
    assert CALLS.keys() == GUARDED.keys()
    assert all(GUARDED[name].scope == scope for name, (scope, _, _) in CALLS.items())


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("key", [None, "", "unknown"])
async def test_nobody_without_a_key_is_heard(
    guarded: Router, memory: InMemoryStore, name: str, key: str | None
) -> None:
    answer = await CALLS[name][1](http_of(guarded, memory, key), str(contact_of(memory)))
    assert answer.status_code == 401


@pytest.mark.parametrize("name", CALLS)
async def test_a_key_without_the_scope_is_refused_whatever_else_it_has(
    guarded: Router, memory: InMemoryStore, name: str
) -> None:
    scope, call, _ = CALLS[name]
    key = key_of(("acme", "bolt"), tuple(s for s in SCOPES if s != scope))
    answer = await call(http_of(guarded, memory, key), str(contact_of(memory)))
    assert answer.status_code == 403


@pytest.mark.parametrize("name", CALLS)
async def test_a_key_of_another_brand_learns_and_changes_nothing(
    guarded: Router, memory: InMemoryStore, name: str
) -> None:
    _, call, expected = CALLS[name]
    before = memory.tables.copied()
    answer = await call(http_of(guarded, memory, key_of(("bolt",), SCOPES)), str(contact_of(memory)))
    assert answer.status_code == expected
    if expected == 200:
        assert answer.json()["reason"] == "unknown_contact"
    assert memory.tables.copied() == before
    assert not [word for word in ("acme", PHONE, CARE_NUMBER, "case-7", "desk") if word in answer.text]


async def test_list_for_every_brand_takes_a_key_with_every_brand(
    guarded: Router, memory: InMemoryStore
) -> None:
    everybody = {**LIST, "brand": "*"}
    one, all_of_them = (key_of(brands, SCOPES) for brands in (("acme",), ("acme", "bolt")))
    assert (await http_of(guarded, memory, one).post("/v1/suppressions", json=everybody)).status_code == 403
    answer = await http_of(guarded, memory, all_of_them).post("/v1/suppressions", json=everybody)
    assert answer.status_code == 200


async def test_brand_that_has_dealt_with_the_person_sees_its_own_part_and_erases_nobody_alone(
    guarded: Router, memory: InMemoryStore
) -> None:
    await guarded.hear(inbound("ciao", number=OTHER_NUMBER))
    who, http = str(contact_of(memory)), http_of(guarded, memory, key_of(("bolt",), SCOPES))
    shown = await http.get(f"/v1/contacts/{who}")
    export = await http.get(f"/v1/contacts/{who}:export")
    assert [window["number"] for window in shown.json()["windows"]] == [OTHER_NUMBER]
    for answer in (shown, export):
        assert answer.status_code == 200
        assert not [word for word in ("acme", CARE_NUMBER, "case-7") if word in answer.text]
    assert (await http.delete(f"/v1/contacts/{who}")).status_code == 403
    both = http_of(guarded, memory, key_of(("acme", "bolt"), SCOPES))
    assert (await both.delete(f"/v1/contacts/{who}")).status_code == 200
    assert (await both.delete(f"/v1/contacts/{who}")).status_code == 200, "a second time answers the same way"


async def test_an_id_is_no_key_to_somebody_whom_a_brand_never_dealt_with(
    guarded: Router, memory: InMemoryStore
) -> None:
    who = {"contact_id": contact_of(memory)}
    refused, own = await guarded.ask(
        requested(to=who, brand="bolt", purpose="utility", content=template("shipped")),
        requested(to=who, purpose="utility", content=template("shipped")),
    )
    assert (refused.verdict, refused.reason) == ("deny", "unknown_contact")
    assert own.verdict == "allow"


async def test_two_keys_are_no_key(guarded: Router, memory: InMemoryStore) -> None:
    http = http_of(guarded, memory, None)
    key = f"Bearer {key_of(('acme',), SCOPES)}"
    for pair in ((key, key), (key, "Bearer unknown-key"), ("Basic x", key)):
        headers = [("Authorization", value) for value in pair]
        answer = await http.get(f"/v1/decisions/{REQUEST.request_id}", headers=headers)
        assert answer.status_code == 401


class SlowBody:
    """A body that comes when the test says."""

    def __init__(self) -> None:
        self.go_on, self.is_awaited = asyncio.Event(), False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_awaited = True
        await self.go_on.wait()
        yield orjson.dumps({"phone": PHONE})


async def test_slow_bodies_of_one_client_leave_room_for_the_others(
    guarded: Router, memory: InMemoryStore
) -> None:
    app = http_app(guarded.business, resources_of(guarded, memory), health=[])
    one, other = (http_of(guarded, memory, key_of((brand,), SCOPES), app) for brand in ("acme", "bolt"))
    bodies = [SlowBody() for _ in range(MOST_READ_AT_ONCE // 4)]
    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(one.post("/v1/contacts:find", content=body)) for body in bodies]
        await until(lambda: all(body.is_awaited for body in bodies))
        own = await one.post("/v1/contacts:find", json={"phone": PHONE})
        others = await other.post("/v1/contacts:find", json={"phone": PHONE})
        for body in bodies:
            body.go_on.set()
    assert (own.status_code, own.headers["retry-after"]) == (503, "1")
    assert others.status_code == 404
    answered = [task.result().status_code for task in slow]
    assert set(answered) <= {200, 503}
    assert 200 in answered


async def test_without_a_key_nothing_is_read(guarded: Router, memory: InMemoryStore) -> None:
    body = SlowBody()
    answer = await http_of(guarded, memory, "unknown").post("/v1/contacts:find", content=body)
    assert (answer.status_code, body.is_awaited) == (401, False)


ODD_IDS: Final = ("12345", "{%s}", "urn:uuid:%s", "\u0663" * 32, "-" * 36)


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_odd_ids_are_nobodys(guarded: Router, memory: InMemoryStore, odd: str) -> None:
    http = http_of(guarded, memory, key_of(("acme",), SCOPES))
    who, request_id = str(contact_of(memory)), str(REQUEST.request_id)
    for path, known in (("/v1/contacts/", who), ("/v1/decisions/", request_id)):
        assert (await http.get(path + odd.replace("%s", known))).status_code == 404
    assert (await http.get(f"/v1/contacts/{who.replace('-', '')}")).status_code == 404


@pytest.mark.parametrize("flag", ["", "yes", "1", "TRUE ", "\u0661", "9" * 5000])
async def test_flags_are_true_or_false(guarded: Router, memory: InMemoryStore, flag: str) -> None:
    http = http_of(guarded, memory, key_of(("acme",), SCOPES))
    paths = {"addresses": f"contacts/{contact_of(memory)}", "history": f"decisions/{REQUEST.request_id}"}
    for name, path in paths.items():
        assert (await http.get(f"/v1/{path}", params={name: flag})).status_code == 422
        assert (await http.get(f"/v1/{path}", params={name: "True"})).status_code != 422


MISSPELT: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "find": ("/v1/contacts:find", {"phone": PHONE, "colour": "red"}),
    "preview": ("/v1/decisions:preview", {**PREVIEW, "to": {"phone": PHONE}, "colour": "red"}),
    "preview, person": ("/v1/decisions:preview", {**PREVIEW, "to": {"phone": PHONE, "colour": "red"}}),
    "preview, people": ("/v1/decisions:preview", {**PREVIEW, "to": [{"phone": PHONE, "colour": "red"}]}),
    "preview, content": (
        "/v1/decisions:preview",
        {**PREVIEW, "to": {"phone": PHONE}, "content": {**template(), "colour": "red"}},
    ),
    "list": ("/v1/suppressions", {**LIST, "brand": "bolt", "colour": "red"}),
    "list, person": (
        "/v1/suppressions",
        {**LIST, "brand": "bolt", "addresses": [{"phone": PHONE, "colour": "red"}]},
    ),
    "simulation": ("/v1/policies:simulate", {"policy": "policy: x", "colour": "red"}),
}


@pytest.mark.parametrize("what", MISSPELT)
async def test_field_that_is_not_known_is_refused_in_every_body(
    guarded: Router, memory: InMemoryStore, what: str
) -> None:
    path, body = MISSPELT[what]
    answer = await http_of(guarded, memory, key_of(("bolt",), SCOPES)).post(path, json=body)
    assert answer.status_code == 422
    assert "colour" in answer.text
