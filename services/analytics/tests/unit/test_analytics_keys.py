"""Every operation with every kind of key, and from where none is needed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import httpx
import pytest

from garbo.analytics.domain.observe import observe
from garbo.analytics.flow import Queries
from garbo.analytics.inbound.http.app import API, http_app
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.analytics.settings import AnalyticsSettings
from garbo.common.errors import StartRefused
from garbo.common.runtime.door.keyless import OpenTo
from garbo.common.runtime.settings import load
from libs.common.tests.support.clock import FixedClock
from services.analytics.tests.support.fakes import FakeFacts
from services.analytics.tests.support.guards import BRANDS, SCOPES, guard_of, key_of
from services.analytics.tests.support.journeys import NOON, Journey

ONE: Final = Journey(client=key_of(("acme",), SCOPES))
FULL: Final = 503
"""What the stream answers here to whoever may watch it: nobody else may."""
CALLS: Final[Mapping[str, tuple[str, int, int]]] = {
    "showCounts": ("/v1/counts", 200, 403),
    "showFunnel": ("/v1/funnel", 200, 403),
    "watchFunnel": ("/v1/stream", FULL, 403),
    "listMessages": ("/v1/messages", 200, 200),
    "tellMessage": (f"/v1/messages/{ONE.request_id}", 200, 404),
}
"""Operation -> a call, what a key with all brands hears, and one without the message's brand."""
SEEN_BY_ITS_BRAND: Final = ("listMessages", "tellMessage")
NO_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "none": [],
    "empty": [""],
    "unknown": ["Bearer unknown-key-0123"],
    "basic": ["Basic " + key_of(BRANDS, SCOPES)],
    "bare": [key_of(BRANDS, SCOPES)],
    "two": ["Bearer " + key_of(BRANDS, SCOPES)] * 2,
}
CELLS: Final = len(CALLS) * (len(NO_KEYS) + len(SCOPES) + 3)
"""No key, each scope missing, another brand's, another client's of the brand, another client's of all."""


@pytest.fixture
async def store() -> FakeFacts:
    store = FakeFacts()
    later = Journey(begun_at=NOON + timedelta(seconds=1))
    told = [ONE.requested(), ONE.allowed(), ONE.result("accepted"), ONE.status("read"), later.requested()]
    await store.upsert(observe(told))
    return store


def caller(
    store: FakeFacts,
    *,
    open_to: OpenTo = "loopback",
    peer: str = "10.0.0.9",
    host: str = "10.0.0.1:8081",
    headers: Sequence[tuple[str, str]] = (),
) -> httpx.AsyncClient:
    queries = Queries(store, FixedClock(NOON + timedelta(minutes=3)))
    app = http_app(queries, LiveFunnel(queries, subscribers_count=0), guard_of(open_to), health=[])
    transport = httpx.ASGITransport(app, client=(peer, 1))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=list(headers))


def with_key(store: FakeFacts, key: str) -> httpx.AsyncClient:
    return caller(store, headers=[("Authorization", f"Bearer {key}")])


def test_every_operation_stands_in_the_table() -> None:
    assert CALLS.keys() == {operation.id for operation in API.operations}
    assert {operation.scope for operation in API.operations} == {"read"}
    assert CELLS == 70


@pytest.mark.parametrize("how", NO_KEYS)
@pytest.mark.parametrize("name", CALLS)
async def test_nobody_without_a_key_is_heard(store: FakeFacts, name: str, how: str) -> None:
    headers = [("Authorization", value) for value in NO_KEYS[how]]
    answer = await caller(store, headers=headers).get(CALLS[name][0])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("missing", SCOPES)
@pytest.mark.parametrize("name", CALLS)
async def test_scope_read_is_what_counts(store: FakeFacts, name: str, missing: str) -> None:
    path, expected, _ = CALLS[name]
    answer = await with_key(store, key_of(BRANDS, [s for s in SCOPES if s != missing])).get(path)
    assert answer.status_code == (403 if missing == "read" else expected)


@pytest.mark.parametrize("name", CALLS)
async def test_key_of_another_brand_learns_nothing(store: FakeFacts, name: str) -> None:
    path, _, expected = CALLS[name]
    answer = await with_key(store, key_of(("bolt",), SCOPES)).get(path)
    assert answer.status_code == expected
    assert not [word for word in ("acme", str(ONE.message_id), str(ONE.contact_id)) if word in answer.text]


@pytest.mark.parametrize("name", CALLS)
async def test_key_of_the_brand_sees_its_messages_whoever_asked_for_them(store: FakeFacts, name: str) -> None:
    path, _, partly = CALLS[name]
    answer = await with_key(store, key_of(("acme",), SCOPES, client="other")).get(path)
    assert answer.status_code == (200 if name in SEEN_BY_ITS_BRAND else partly)
    if name in SEEN_BY_ITS_BRAND:
        assert str(ONE.message_id) in answer.text


@pytest.mark.parametrize("name", CALLS)
async def test_key_of_all_brands_sees_all(store: FakeFacts, name: str) -> None:
    path, expected, _ = CALLS[name]
    answer = await with_key(store, key_of(BRANDS, SCOPES, client="other")).get(path)
    assert answer.status_code == expected


async def test_hash_of_the_platforms_id_is_for_admins(store: FakeFacts) -> None:
    path = CALLS["tellMessage"][0]
    without = [s for s in SCOPES if s != "admin"]
    shown = await with_key(store, key_of(BRANDS, SCOPES)).get(path)
    hidden = await with_key(store, key_of(BRANDS, without)).get(path)
    near = await caller(store, peer="127.0.0.1", host="localhost:8081").get(path)
    assert shown.json()["platform_message_ref"]
    assert hidden.json()["platform_message_ref"] is None
    assert near.json()["platform_message_ref"] is None


@pytest.mark.parametrize("host", ["localhost", "[::1]:80"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.0.0.9"])
async def test_this_machine_needs_no_key(store: FakeFacts, peer: str, host: str) -> None:
    near = caller(store, peer=peer, host=host)
    assert [(await near.get(path)).status_code for path, _, _ in CALLS.values()] == [200, 200, FULL, 200, 200]


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        pytest.param({"peer": "10.0.0.9"}, {}, id="from afar"),
        pytest.param({"host": "10.0.0.1"}, {}, id="by another address"),
        pytest.param({"host": "evil.test"}, {}, id="by another name"),
        pytest.param({"open_to": "nobody"}, {}, id="open to nobody"),
        pytest.param({}, {"X-Forwarded-For": "127.0.0.1"}, id="forwarded for"),
        pytest.param({}, {"Forwarded": "for=127.0.0.1"}, id="forwarded"),
        pytest.param({}, {"Via": "1.1 proxy"}, id="via"),
        pytest.param({}, {"X-Real-IP": "127.0.0.1"}, id="real ip"),
        pytest.param({}, {"Origin": "http://evil.test"}, id="page of another origin"),
        pytest.param({}, {"Origin": "http://localhost:3000"}, id="page of another port"),
        pytest.param({}, {"Origin": "null"}, id="page without an origin"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="another site"),
        pytest.param({}, {"Sec-Fetch-Site": "same-site"}, id="the same site, another origin"),
        pytest.param({}, {"Authorization": "Bearer unknown-key-0123"}, id="a wrong key"),
    ],
)
async def test_what_does_not_speak_for_this_machine_needs_a_key(
    store: FakeFacts, more: Mapping[str, OpenTo], headers: Mapping[str, str]
) -> None:
    near = {"peer": "127.0.0.1", "host": "localhost:8081", **more}
    asking = caller(store, headers=list(headers.items()), **near)  # type: ignore[arg-type] # names of `caller`
    assert [(await asking.get(path)).status_code for path, _, _ in CALLS.values()] == [401] * len(CALLS)


async def test_the_console_itself_is_served_to_anybody_and_shows_nothing_by_itself(store: FakeFacts) -> None:
    assert (await caller(store).get("/")).status_code == 200


def test_the_demos_open_door_does_not_go_live() -> None:
    given = {"GARBO_CONFIG": "b.yaml", "GARBO_POSTGRES_DSN": "postgresql://u:p@h/d"}
    live = given | {"GARBO_GRAPH_URL": "https://graph.facebook.com"}
    with pytest.raises(StartRefused, match="GARBO_ANALYTICS_OPEN_TO"):
        load(AnalyticsSettings, live | {"GARBO_ANALYTICS_OPEN_TO": "gateway"})
    assert load(AnalyticsSettings, live).open_to == "loopback"
    demo = given | {"GARBO_GRAPH_URL": "http://simulator:8080", "GARBO_ANALYTICS_OPEN_TO": "gateway"}
    assert load(AnalyticsSettings, demo).open_to == "gateway"
