import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import orjson
from starlette.requests import Request
from starlette.responses import StreamingResponse

from garbo.analytics.domain.observe import observe
from garbo.analytics.flow import Queries, Viewer
from garbo.analytics.inbound.http.stream import LiveFunnel
from libs.common.tests.support.clock import FixedClock
from services.analytics.tests.support.fakes import FakeFacts
from services.analytics.tests.support.journeys import NOON, Journey

ANYBODY = Viewer(brands=None, sees_refs=False)


def asking(query: str = "since=15m") -> Request:
    return Request({"type": "http", "method": "GET", "query_string": query.encode(), "headers": []})


def live_over(store: FakeFacts, *, subscribers_count: int = 1) -> LiveFunnel:
    return LiveFunnel(Queries(store, FixedClock(NOON)), subscribers_count=subscribers_count)


async def opened(live: LiveFunnel) -> AsyncGenerator[bytes, None]:
    answer = await live.watch_funnel(asking(), ANYBODY)
    assert isinstance(answer, StreamingResponse)
    events = cast("AsyncGenerator[bytes, None]", answer.body_iterator)
    assert await anext(events) == b"retry: 2000\n\n"
    return events


async def test_stream_tells_the_funnel_and_then_each_change() -> None:
    store = FakeFacts()
    events = await opened(live_over(store))
    async with asyncio.timeout(10):
        assert b'"requested":0' in await anext(events)
        await store.upsert(observe([Journey().requested()]))
        changed = await anext(events)
    kind, data, *_ = changed.split(b"\n")
    assert kind == b"event: funnel"
    assert orjson.loads(data.removeprefix(b"data: "))["steps"]["requested"] == 1
    await events.aclose()


async def test_one_stream_too_many_is_refused_until_another_ends() -> None:
    live = live_over(FakeFacts())
    events = await opened(live)
    refused = await live.watch_funnel(asking(), ANYBODY)
    assert refused.status_code == 503
    await events.aclose()
    assert (await live.watch_funnel(asking(), ANYBODY)).status_code == 200


async def test_stop_ends_all_streams() -> None:
    live = live_over(FakeFacts())
    events = await opened(live)
    await anext(events)
    await live.stop()
    async with asyncio.timeout(5):
        assert [event async for event in events] == []
