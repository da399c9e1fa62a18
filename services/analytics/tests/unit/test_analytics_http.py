from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from garbo.analytics.domain.observe import observe
from garbo.analytics.flow import Queries
from garbo.analytics.inbound.http.app import http_app
from garbo.analytics.inbound.http.stream import LiveFunnel
from libs.common.tests.support.clock import FixedClock
from services.analytics.tests.support.fakes import FakeFacts
from services.analytics.tests.support.guards import guard_of
from services.analytics.tests.support.journeys import NOON, Journey

READ = Journey()
HELD = Journey(begun_at=NOON + timedelta(seconds=30))
WAITS = Journey(begun_at=NOON + timedelta(seconds=10), campaign="autumn")
CARE = Journey(begun_at=NOON + timedelta(minutes=2), purpose="care", campaign=None, template=None)


@pytest.fixture
async def store() -> FakeFacts:
    store = FakeFacts()
    events = [READ.requested(), READ.allowed(), READ.result("accepted"), READ.status("read")]
    held = [HELD.requested(), HELD.held_by_cap(), CARE.requested()]
    waits = [WAITS.requested(), WAITS.put_off("quiet", until=3600)]
    await store.upsert(observe([*events, *held, *waits, *READ.answered()]))
    return store


@pytest.fixture
async def client(store: FakeFacts) -> AsyncIterator[httpx.AsyncClient]:
    queries = Queries(store, FixedClock(NOON + timedelta(minutes=3)))
    app = http_app(queries, LiveFunnel(queries, subscribers_count=1), guard_of(), health=[])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def test_counts_of_all_time(client: httpx.AsyncClient) -> None:
    counts = (await client.get("/v1/counts")).json()
    expected = {"messages": 4, "requested": 4, "decided": 3, "allowed": 1, "denied": 1, "accepted": 1}
    more = {"deferred": 1, "delivered": 1, "read": 1, "failed": 0, "unknown": 0, "inbound": 1, "replied": 1}
    assert counts.items() >= {**expected, **more}.items()


async def test_funnel_tells_what_was_held_back_from_what_waits_by_reason(client: httpx.AsyncClient) -> None:
    funnel = (await client.get("/v1/funnel?since=15m")).json()
    assert funnel["steps"]["requested"] == 4
    held = {"reason": "cap_reached", "label": "Cap reached", "count": 1}
    waits = {"reason": "quiet", "label": "Quiet hours", "count": 1}
    assert funnel["held_back"] == {"total": 1, "by_reason": [held]}
    assert funnel["waiting"] == {"total": 1, "by_reason": [waits]}
    points = funnel["series"]["points"]
    assert len(points) == 15
    assert {name: sum(point[name] for point in points) for name in ("requested", "held_back", "waiting")} == {
        "requested": 4,
        "held_back": 1,
        "waiting": 1,
    }


async def test_funnel_of_one_lane(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/funnel?lane=care")).json()["steps"]["requested"] == 1


async def test_funnel_since_an_instant(client: httpx.AsyncClient) -> None:
    funnel = (await client.get("/v1/funnel", params={"since": "2026-06-01T14:02:00+02:00"})).json()
    assert funnel["steps"]["requested"] == 1


async def test_messages_latest_first_with_words(client: httpx.AsyncClient) -> None:
    messages = (await client.get("/v1/messages")).json()["messages"]
    assert [m["state"] for m in messages] == ["asked", "held", "waiting", "replied"]
    assert messages[1]["words"].startswith(
        "Held back: this person already had 1 of 1 promos in the last 24 h"
    )


@pytest.mark.parametrize(
    ("query", "count"),
    [("verdict=deny,defer", 2), ("verdict=defer", 1), ("verdict=allow", 1), ("lane=care", 1), ("limit=2", 2)],
)
async def test_messages_can_be_chosen(client: httpx.AsyncClient, query: str, count: int) -> None:
    assert len((await client.get(f"/v1/messages?{query}")).json()["messages"]) == count


async def test_story_of_one_message(client: httpx.AsyncClient) -> None:
    story = (await client.get(f"/v1/messages/{READ.request_id}")).json()
    told = [step["what"] for step in story["story"]]
    assert told == ["requested", "allowed", "attempted", "accepted", "read", "replied"]
    assert story["checks"][0]["rule"] == "promo-day"


async def test_story_of_one_that_waits_says_until_when_and_why(client: httpx.AsyncClient) -> None:
    story = (await client.get(f"/v1/messages/{WAITS.request_id}")).json()
    assert (story["state"], story["verdict"], story["final"]) == ("waiting", "defer", False)
    assert (story["rule"], story["provisional"], story["overridden"]) == ("quiet", False, [])
    assert story["due_at"] == "2026-06-01T13:00:16+00:00"
    assert story["words"].startswith(
        "Put off: it is quiet time where this person lives; it is tried again at"
    )


async def test_unknown_message_says_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v1/messages/{UUID(int=1)}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Check the id" in answer.json()["detail"]


async def test_an_id_two_clients_share_asks_which(client: httpx.AsyncClient, store: FakeFacts) -> None:
    other = Journey(request_id=READ.request_id, client="crm")
    await store.upsert(observe([other.requested()]))
    answer = await client.get(f"/v1/messages/{READ.request_id}")
    assert answer.status_code == 300
    assert answer.json()["clients"] == ["crm", "shop"]
    one = await client.get(f"/v1/messages/{READ.request_id}?client=crm")
    assert one.json()["state"] == "asked"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/funnel?since=yesterday",
        "/v1/funnel?since=99d",
        "/v1/funnel?since=2026-06-01T10:00:00",
        "/v1/funnel?since=0001-01-01T00:00:00%2B14:00",
        "/v1/funnel?lane=vip",
        "/v1/messages?limit=0",
        "/v1/messages?limit=1e9",
        "/v1/messages?verdict=maybe",
        "/v1/messages/12345",
        "/v1/stream?since=7d",
        "/v1/messages?limit=" + "9" * 5000,
        "/v1/messages?limit=٣",
        "/v1/messages?limit=-1",
        "/v1/messages?limit=%2B1",
        "/v1/messages?limit=1_0",
        "/v1/messages?limit=%201",
        "/v1/messages?limit=NaN",
        "/v1/messages?limit=",
        "/v1/messages?limit=201",
        "/v1/messages/{0d570c4d-0e4c-4b27-a238-95345811edc5}",
        "/v1/messages/0d570c4d0e4c4b27a23895345811edc5",
        "/v1/messages/" + "٣" * 32,
        "/v1/funnel?since=" + "9" * 5000 + "m",
        "/v1/funnel?since=٣m",
        "/v1/funnel?since=9999-12-31T23:59:59-23:59",
        "/v1/funnel?since=10000-01-01T00:00:00Z",
        "/v1/funnel?since=2026-06-01T10:00:00.1234567Z",
        "/v1/funnel?since=2026-W23-1T10:00:00Z",
        "/v1/funnel?since=٢٠٢٦-06-01T10:00:00Z",
        "/v1/funnel?since=2026-06-01T25:00:00Z",
        "/v1/funnel?since=-15m",
        "/v1/funnel?since=",
        "/v1/stream?since=inf",
    ],
)
async def test_bad_question_is_told_what_to_ask(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/js/app.js", 200), ("/css/page.css", 200), ("/v1/counts", 200), ("/nothing", 404)],
)
async def test_every_answer_is_guarded(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    headers = answer.headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["referrer-policy"] == "no-referrer"
