"""Keys of every kind, a call of every operation, and a person whom one brand alone knows."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeAlias
from uuid import uuid4

import httpx
from starlette.types import ASGIApp

from garbo.router.domain.policy import Policy
from garbo.router.inbound.http.api import http_app
from services.router.tests.support.build import (
    CARE_NUMBER,
    PHONE,
    business,
    case,
    consent,
    inbound,
    requested,
    template,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.resources import resources_of
from services.router.tests.support.router import Router

SCOPES: Final = ("publish", "read", "simulate", "admin", "link")
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


async def acquainted(memory: InMemoryStore, policy: Policy) -> Router:
    """Give a router that knows one person, who only ever dealt with acme."""
    known = [client_of_file.model_dump() for client_of_file in business().clients]
    router = Router(memory, policy, business=business(clients=[*known, *CLIENTS]))
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
