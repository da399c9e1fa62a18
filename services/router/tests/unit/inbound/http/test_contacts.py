"""What a person is shown as: caps by decide's own rules, and no address unless an admin asks."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import httpx
import pytest

from garbo.common.events.addresses import Recipient
from garbo.router.domain.policy import Policy
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.inbound.http.api import http_app
from services.router.tests.support.build import (
    API_KEY,
    PHONE,
    business,
    consent,
    inbound,
    requested,
    result,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_reading import InMemoryPreviewReader
from services.router.tests.support.policies import OPT_IN
from services.router.tests.support.resources import resources_of
from services.router.tests.support.router import Router

ADMIN_KEY = "test-admin-key"
MakePolicy = Callable[..., Policy]
WEEK = (
    "id: week, type: cap, limit: 2, window: { rolling: 7d }, per: [recipient],"
    " applies_to: { class: promo }, counts: { class: promo }, on_hit: { defer: 8d }"
)
DAY = (
    "id: day, type: cap, limit: 1, window: { calendar: day, zone: Europe/Rome }, per: [recipient, brand],"
    " applies_to: { class: promo }, counts: { class: promo }"
)


@pytest.fixture
def capped(memory: InMemoryStore, make_policy: MakePolicy) -> Router:
    admin = {
        "id": "ops",
        "keys_sha256": [sha256(ADMIN_KEY.encode()).hexdigest()],
        "brands": ["acme"],
        "purposes": [],
        "scopes": ["read", "admin"],
    }
    clients = [*(client.model_dump() for client in business().clients), admin]
    return Router(memory, make_policy(OPT_IN, WEEK, DAY), business=business(clients=clients))


def client_of(router: Router, *, key: str = API_KEY) -> httpx.AsyncClient:
    assert isinstance(router.store, InMemoryStore)
    app = http_app(router.business, resources_of(router, router.store), health=[])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="http://router",
        headers={"Authorization": f"Bearer {key}"},
    )


async def find(http: httpx.AsyncClient) -> str:
    found = await http.post("/v1/contacts:find", json={"phone": PHONE})
    assert found.status_code == 200, found.text
    return str(found.json()["contact_id"])


async def promote(router: Router, brand: str, campaign: str) -> str:
    """Grant one promo and let it be accepted at once."""
    asked = requested(brand=brand, campaign=campaign)
    (decided,) = await router.ask(asked)
    assert decided.verdict == "allow", decided
    await router.hear(result(router.granted[-1], "accepted", wamid=f"wamid.{uuid4()}"))
    return str(asked.message_id)


async def test_each_cap_says_what_fills_it_and_when_that_frees(capped: Router) -> None:
    await capped.hear(consent(), consent(brand="bolt"))
    mine, other = await promote(capped, "acme", "summer"), await promote(capped, "bolt", "winter")
    async with client_of(capped) as http:
        shown = (await http.get(f"/v1/contacts/{await find(http)}")).json()
    caps = {(cap["rule"], cap.get("brand")): cap for cap in shown["caps"]}
    week, acme = caps["week", None], caps["day", "acme"]
    assert (week["used"], week["limit"], week["full"]) == (2, 2, True)
    assert {send["message_id"] for send in week["by"]} == {mine, other}
    assert week["free_at"] == "2026-06-08T10:00:00Z"
    assert {send["frees_at"] for send in week["by"]} == {"2026-06-08T10:00:00Z"}
    assert (acme["used"], acme["full"], acme["free_at"]) == (1, True, "2026-06-01T22:00:00Z")
    assert [(send["campaign"], send["frees_at"]) for send in acme["by"]] == [
        ("summer", "2026-06-01T22:00:00Z")
    ]
    promo = {answer["brand"]: answer for answer in shown["promo"]}["acme"]
    assert (promo["verdict"], promo["rule"], promo["next_allowed_at"]) == (
        "defer",
        "week",
        "2026-06-08T10:00:00Z",
    )


async def test_what_is_shown_agrees_with_what_is_decided_then(capped: Router, memory: InMemoryStore) -> None:
    await capped.hear(consent())
    await promote(capped, "acme", "summer")
    memory.advance(timedelta(hours=5))
    async with client_of(capped) as http:
        shown = (await http.get(f"/v1/contacts/{await find(http)}")).json()
    (decided,) = await capped.ask(requested())
    promo = {answer["brand"]: answer for answer in shown["promo"]}["acme"]
    assert (promo["verdict"], promo["rule"]) == (decided.verdict, decided.rule)
    assert decided.next_allowed_at is not None
    assert promo["next_allowed_at"] == decided.next_allowed_at.isoformat().replace("+00:00", "Z")


async def test_another_brands_sends_fill_a_shared_cap_without_their_name(capped: Router) -> None:
    await capped.hear(consent(), consent(brand="bolt"))
    await promote(capped, "bolt", "winter")
    async with client_of(capped, key=ADMIN_KEY) as http:
        answer = await http.get(f"/v1/contacts/{await find(http)}")
    shown = answer.json()
    week = next(cap for cap in shown["caps"] if cap["rule"] == "week")
    assert [(send.get("brand"), send.get("campaign"), send.get("message_id")) for send in week["by"]] == [
        (None, None, None)
    ]
    assert "winter" not in answer.text
    assert {consented["brand"] for consented in shown["consents"]} == {"acme"}


async def test_windows_stops_and_consents_are_shown(capped: Router) -> None:
    await capped.hear(consent())
    await capped.hear(inbound("STOP"))
    async with client_of(capped) as http:
        shown = (await http.get(f"/v1/contacts/{await find(http)}")).json()
    assert [(window["number"], window["open"]) for window in shown["windows"]] == [("1001", True)]
    assert [(stop["brand"], stop["stopped"]) for stop in shown["stops"]] == [("acme", True)]
    assert shown["zone"]["source"] == "country"
    assert "Europe/Rome" in shown["zone"]["zones"]


async def test_an_address_is_shown_to_an_admin_who_asks_and_to_nobody_else(capped: Router) -> None:
    await capped.hear(consent())
    async with client_of(capped) as http:
        plain = await http.get(f"/v1/contacts/{await find(http)}")
        refused = await http.get(f"/v1/contacts/{await find(http)}?addresses=true")
    async with client_of(capped, key=ADMIN_KEY) as http:
        full = await http.get(f"/v1/contacts/{await find(http)}?addresses=true")
        unasked = await http.get(f"/v1/contacts/{await find(http)}")
    assert PHONE[1:] not in plain.text + unasked.text
    assert refused.status_code == 403
    assert full.json()["addresses"] == [{"kind": "phone", "value": PHONE}]


async def test_an_export_needs_an_admin_and_holds_the_decisions(capped: Router) -> None:
    await capped.hear(consent())
    await capped.ask(requested())
    async with client_of(capped) as http:
        refused = await http.get(f"/v1/contacts/{await find(http)}:export")
    async with client_of(capped, key=ADMIN_KEY) as http:
        held = (await http.get(f"/v1/contacts/{await find(http)}:export")).json()
    assert refused.status_code == 403
    assert [record["verdict"] for decision in held["decision"] for record in decision["records"]] == ["allow"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/contacts:find", {"phone": "+393339999999"}, 404),
        ("POST", "/v1/contacts:find", {"phone": "0039"}, 422),
        ("POST", "/v1/contacts:find", [], 422),
        ("GET", f"/v1/contacts/{UUID(int=1)}", None, 404),
        ("GET", "/v1/contacts/none", None, 404),
    ],
)
async def test_nobody_is_answered_clearly(
    capped: Router,
    method: str,
    path: str,
    body: object,
    status: int,
) -> None:
    async with client_of(capped) as http:
        answer = await http.request(method, path, json=body)
    assert answer.status_code == status
    assert "333" not in answer.text


async def test_an_erased_person_is_gone_and_what_waited_is_denied(capped: Router) -> None:
    await capped.hear(consent())
    await promote(capped, "acme", "summer")
    waiting = requested()
    await capped.ask(waiting)
    async with client_of(capped, key=ADMIN_KEY) as http:
        contact_id = await find(http)
        erased = await http.delete(f"/v1/contacts/{contact_id}")
        again = await http.delete(f"/v1/contacts/{contact_id}")
        gone = await http.post("/v1/contacts:find", json={"phone": PHONE})
        shown = (await http.get(f"/v1/contacts/{contact_id}?addresses=true")).json()
    told = erased.json()
    assert {"garbo.inbound.message.v1", "router.decision"} <= {left["where"] for left in told.pop("remains")}
    assert told == {"contact_id": contact_id, "addresses": 1, "suppressed": False}
    assert (again.status_code, gone.status_code) == (200, 404)
    assert (shown["erased"], shown["addresses"], shown["waiting"]) == (True, [], [])


async def test_only_an_admin_erases_and_suppresses(capped: Router) -> None:
    await capped.hear(consent())
    async with client_of(capped) as http:
        erased = await http.delete(f"/v1/contacts/{await find(http)}")
        listed = await http.post("/v1/suppressions", json=a_list(PHONE))
    assert (erased.status_code, listed.status_code) == (403, 403)


async def test_a_list_reaches_who_is_known_and_who_is_not_yet(capped: Router, memory: InMemoryStore) -> None:
    await capped.hear(consent())
    stranger = "+393337654321"
    async with client_of(capped, key=ADMIN_KEY) as http:
        taken = await http.post("/v1/suppressions", json=a_list(PHONE, stranger))
        shown = (await http.get(f"/v1/contacts/{await find(http)}")).json()
    assert taken.json() == {"addresses": 2, "known": 1}
    assert [listed["brand"] for listed in shown["suppressions"]] == ["acme"]
    previews = PreviewRequests(capped.dependencies, InMemoryPreviewReader(memory))
    event = requested(purpose="promo")
    preview = await previews.preview_people(
        event, [Recipient(phone=stranger), Recipient(phone="+393331111111")]
    )
    (decided,) = await capped.ask(requested(to={"phone": stranger}))
    assert preview.decisions[0].reason == decided.reason
    assert preview.decisions[0].contact_id is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"addresses": []}, 422),
        ({"addresses": [{"phone": "12"}]}, 422),
        ({"addresses": [{"contact_id": str(uuid4())}]}, 422),
        ({"brand": "bolt"}, 403),
        ({"as_of": "yesterday"}, 422),
        ({"surprise": 1}, 422),
    ],
    ids=["nobody", "no_phone", "no_address", "foreign_brand", "no_date", "unknown_field"],
)
async def test_an_odd_list_is_refused(capped: Router, change: dict[str, object], status: int) -> None:
    async with client_of(capped, key=ADMIN_KEY) as http:
        answer = await http.post("/v1/suppressions", json={**a_list(PHONE), **change})
    assert answer.status_code == status


def a_list(*phones: str) -> dict[str, object]:
    return {
        "brand": "acme",
        "source": "register",
        "as_of": "2026-05-31T00:00:00Z",
        "addresses": [{"phone": phone} for phone in phones],
    }
