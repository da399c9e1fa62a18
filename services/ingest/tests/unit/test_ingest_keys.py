"""Every operation with every kind of key."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import pytest
from starlette.types import ASGIApp

from garbo.common.business import Business, Client
from garbo.common.events.template_registry import TemplateRegistry
from garbo.ingest.app import flows_of, http_app
from garbo.ingest.inbound.api import API
from garbo.ingest.inbound.freshness import Freshness
from garbo.ingest.outbound.business import BusinessPublishers
from garbo.ingest.settings import IngestSettings
from libs.common.tests.support.clock import FixedClock
from services.ingest.tests.support.event_log import MemoryEventLog
from services.ingest.tests.support.http import PHONE, AnyJson, ask, post
from services.ingest.tests.support.webhooks import signed

SCOPES: Final = ("publish", "read", "simulate", "admin", "link")
TO: Final = {"phone": PHONE}
CONSENT: Final = {"action": "given", "source": "form", "occurred_at": "2026-09-01T10:00:00Z"}
TEXT: Final = {"type": "text", "text": {"body": "ciao"}}
CALLS: Final[Mapping[str, tuple[str, dict[str, Any], int]]] = {
    "submitMessages": ("messages", {"brand": "acme", "to": TO, "purpose": "care", "content": TEXT}, 403),
    "submitConsents": ("consents", {"brand": "acme", "to": TO, **CONSENT}, 403),
    "submitCases": ("cases", {"case_id": "C-1", "brand": "acme", "to": TO, "action": "opened"}, 403),
    "submitContacts": ("contacts", {"to": TO, "timezone": "America/New_York"}, 202),
    "submitReads": ("reads", {"number": "100", "message_id": "wamid.x"}, 403),
    "submitCampaigns": ("campaigns", {"brand": "acme", "campaign": "s", "action": "cancelled"}, 403),
}
"""Operation -> path, body, and what a key of another brand hears: what is told of people is of no brand."""
WITHOUT_A_KEY: Final = {"verifyWebhook": 403, "takeWebhook": 401}
"""The platform has no key of ours: a token and a signature stand in its place, and no key does."""
GOOD: Final = "key-own-acme"
NO_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "none": [],
    "empty": [""],
    "unknown": ["Bearer unknown-key-0123"],
    "basic": ["Basic " + GOOD],
    "bare": [GOOD],
    "two": ["Bearer " + GOOD] * 2,
}
CELLS: Final = len(CALLS) * (len(NO_KEYS) + len(SCOPES) + 2) + 2 * len(WITHOUT_A_KEY)


def client(key: str, *, brand: str = "acme", scopes: Sequence[str] = SCOPES) -> Client:
    return Client.model_validate(
        {
            "id": key,
            "keys_sha256": [sha256(key.encode()).hexdigest()],
            "brands": [brand],
            "purposes": ["care", "promo", "utility", "auth"],
            "scopes": scopes,
        }
    )


@pytest.fixture
def keyed_app(
    ingest_settings: IngestSettings,
    ingest_business: Business,
    event_log: MemoryEventLog,
    ingest_clock: FixedClock,
) -> ASGIApp:
    clients = [client(GOOD), client("key-own-bella", brand="bella")]
    clients += [client(f"key-without-{scope}", scopes=[s for s in SCOPES if s != scope]) for scope in SCOPES]
    known = ingest_business.model_copy(update={"clients": tuple(clients)})
    return http_app(
        ingest_settings,
        flows_of(
            ingest_settings,
            publishers=BusinessPublishers(known),
            log=event_log,
            templates=TemplateRegistry(),
            clock=ingest_clock,
        ),
        freshness=Freshness(known),
        health=(),
    )


def test_every_operation_stands_in_the_table() -> None:
    assert CALLS.keys() == {one.id for one in API.operations if one.scope is not None}
    assert WITHOUT_A_KEY.keys() == {one.id for one in API.operations if one.scope is None}
    assert {one.scope for one in API.operations} == {"publish", None}
    assert CELLS == 82


@pytest.mark.parametrize("how", NO_KEYS)
@pytest.mark.parametrize("name", CALLS)
async def test_nobody_without_a_key_is_heard(
    keyed_app: ASGIApp, event_log: MemoryEventLog, name: str, how: str
) -> None:
    headers = [("Authorization", value) for value in NO_KEYS[how]]
    answer = await ask(keyed_app, f"POST /v1/{CALLS[name][0]}", body=b"{}", headers=headers)
    assert answer is not None
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert event_log.entries == []


@pytest.mark.parametrize("missing", SCOPES)
@pytest.mark.parametrize("name", CALLS)
async def test_scope_publish_is_what_counts(
    keyed_app: ASGIApp, event_log: MemoryEventLog, name: str, missing: str
) -> None:
    path, body, _ = CALLS[name]
    answer = await post(keyed_app, body, path=path, key=f"key-without-{missing}")
    assert answer.status == (403 if missing == "publish" else 202)
    assert bool(event_log.entries) == (missing != "publish")


@pytest.mark.parametrize("name", CALLS)
async def test_key_of_another_brand_says_nothing_for_this_one(
    keyed_app: ASGIApp, event_log: MemoryEventLog, name: str
) -> None:
    path, body, expected = CALLS[name]
    assert (await post(keyed_app, body, path=path, key="key-own-bella")).status == expected
    assert all(entry.event.client == "key-own-bella" for entry in event_log.found)  # type: ignore[attr-defined] # all have one


@pytest.mark.parametrize("name", CALLS)
async def test_key_of_another_client_does_not_speak_as_this_one(
    keyed_app: ASGIApp, event_log: MemoryEventLog, name: str
) -> None:
    path, body, _ = CALLS[name]
    said: AnyJson = {**body, "client": GOOD}
    assert (await post(keyed_app, said, path=path, key="key-without-read")).status == 403
    assert event_log.entries == []


@pytest.mark.parametrize("name", WITHOUT_A_KEY)
@pytest.mark.parametrize("headers", [[], [("Authorization", f"Bearer {GOOD}")]], ids=["no key", "a key"])
async def test_key_opens_no_door_of_the_platforms(
    keyed_app: ASGIApp, event_log: MemoryEventLog, name: str, headers: list[tuple[str, str]]
) -> None:
    method = "GET" if name == "verifyWebhook" else "POST"
    wrong = [*headers, signed(b"{}", "another")]
    answer = await ask(keyed_app, f"{method} /webhooks/whatsapp", body=b"{}", headers=wrong)
    assert answer is not None
    assert (answer.status, answer.body) == (WITHOUT_A_KEY[name], b"")
    assert event_log.entries == []
