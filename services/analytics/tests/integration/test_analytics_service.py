"""The process itself: through Kafka, out of HTTP."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import httpx
import pytest

from garbo.common.events.base import Event
from garbo.common.events.topics import SEND_RESULT
from garbo.common.runtime.raw_producer import Outgoing
from libs.common.tests.support.waiting import until
from services.analytics.tests.support.journeys import NAME, PHONE, TEXT, Journey

pytestmark = pytest.mark.integration


class Service(Protocol):
    url: str

    async def tell(self, events: Sequence[Event]) -> None: ...
    async def publish(self, records: Sequence[Outgoing]) -> None: ...
    async def until(self, path: str, **wanted: object) -> dict[str, Any]: ...


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


async def test_events_become_facts_whatever_their_order_and_repeats(service: Service) -> None:
    read, held = Journey(begun_at=just_now()), Journey(begun_at=just_now())
    events = [read.requested(), read.allowed(), read.result("accepted"), read.status("sent")]
    events += [read.status("delivered"), read.status("read"), *read.answered()]
    events += [held.requested(), held.held_by_cap()]
    random.Random(3).shuffle(events)
    await service.tell([*events, *events])
    story = await service.until(
        f"/v1/messages/{read.request_id}", state="replied", verdict="allow", client="shop"
    )
    assert story["campaign"] == "summer"
    told = await service.until(f"/v1/messages/{held.request_id}", state="held", client="shop")
    assert told["label"] == "Cap reached"


async def test_bad_record_is_set_aside_and_its_neighbours_stand(service: Service) -> None:
    one = Journey(begun_at=just_now())
    await service.tell([one.requested()])
    await service.publish([Outgoing(SEND_RESULT.name, b"k", b'{"message_id": 7}')])
    await service.tell([one.allowed(), one.result("accepted")])
    await service.until(f"/v1/messages/{one.request_id}", state="sent")


async def test_stream_tells_a_live_change(service: Service) -> None:
    one = Journey(begun_at=datetime.now(UTC), purpose="care", template=None, campaign=None)
    async with (
        httpx.AsyncClient(base_url=service.url, timeout=30) as client,
        client.stream("GET", "/v1/stream?since=15m&lane=care") as stream,
        asyncio.timeout(60),
    ):
        lines = stream.aiter_lines()
        before = await anext(line async for line in lines if line.startswith("data: "))
        await service.tell([one.requested()])
        after = await anext(line async for line in lines if line.startswith("data: "))
        assert before != after


async def test_console_that_goes_away_is_no_longer_counted(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as client, asyncio.timeout(60):
        before = await watching(client)
        async with client.stream("GET", "/v1/stream?since=15m") as stream:
            await anext(stream.aiter_lines())
            assert await watching(client) == before + 1
        await until(lambda: watching(client), lambda count: count == before)


async def watching(client: httpx.AsyncClient) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith("garbo_analytics_subscribers ")).split()[1])


async def test_nothing_of_a_person_can_be_asked_for(service: Service) -> None:
    one = Journey(begun_at=just_now())
    await service.tell([one.requested(), one.allowed(), *one.answered()])
    story = await service.until(f"/v1/messages/{one.request_id}", state="replied", verdict="allow")
    for secret in (PHONE[1:], NAME, TEXT):
        assert secret not in repr(story)


async def test_a_client_no_text_can_hold_is_a_bad_question(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, timeout=5) as client:
        answer = await client.get(f"/v1/messages/{UUID(int=1)}?client=%00")
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_health_and_metrics_answer(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, timeout=5) as client:
        assert (await client.get("/livez")).json() == {"checks": {"deliveries": True}}
        assert (await client.get("/readyz")).status_code == 200
        assert "garbo_analytics_subscribers" in (await client.get("/metrics")).text
