"""The live funnel as server-sent events. Many consoles cost the database as much as one."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final, Literal

import orjson
from prometheus_client import Gauge
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from garbo.analytics.flow import Queries, Viewer
from garbo.analytics.inbound.http.funnel_views import funnel_view
from garbo.analytics.inbound.http.guard import every_brand_needed
from garbo.analytics.inbound.http.query import LANE, BadQueryError, lane_of, since_of
from garbo.common.errors import RetryLater
from garbo.common.runtime.http import problem
from garbo.common.runtime.operations import Answer, Parameter, operation

EVERY_S: Final = 1.0
"""How often a live console is told what changed."""
HEARTBEAT_S: Final = 10.0
"""An idle stream says that it lives: proxies close silent ones after 30 s or more."""
SPANS: Final = tuple(timedelta(minutes=m) for m in (15, 60, 360, 1440))
"""What can be watched: few, so that all who watch share one answer."""
SUBSCRIBERS: Final = Gauge("garbo_analytics_subscribers", "Consoles that watch live")

ALIVE: Final = b"event: alive\ndata: {}\n\n"

Watched = tuple[timedelta, str | None]


class LiveFunnel:
    """Serves `/v1/stream`: `funnel` events when it changed, `alive` as heartbeat, `lost` when it is unknown.

    A component: its stop ends all streams, so that the HTTP server can.
    """

    def __init__(self, queries: Queries, *, subscribers_count: int) -> None:
        self._queries, self._most = queries, subscribers_count
        self._count = 0
        self._known: dict[Watched, tuple[float, bytes]] = {}
        self._asking = asyncio.Lock()
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Nothing: streams begin when somebody asks."""

    async def stop(self) -> None:
        """End all streams; browsers come back by themselves."""
        self._ended.set()

    @operation(
        "GET",
        "/v1/stream",
        scope="read",
        parameters=(
            Parameter("since", Literal["15m", "60m", "6h", "24h"], "How far back.", default="15m"),
            LANE,
        ),
        answers={
            200: Answer(
                str,
                "Events `funnel` (as `/v1/funnel` answers), `alive`, and `lost` while the database is away.",
                "text/event-stream",
            )
        },
        errors={503: "Too many watch."},
    )
    async def watch_funnel(self, request: Request, viewer: Viewer) -> Response:
        """Watch the funnel: an event each second in which it changes, until somebody hangs up.

        The figures are of all brands: a key needs them all.
        """
        if refusal := every_brand_needed(viewer):
            return refusal
        watched = _watched(since_of(request.query_params)), lane_of(request.query_params)
        if self._count >= self._most:
            mend = "Close another console, or raise GARBO_ANALYTICS_SUBSCRIBERS_COUNT."
            return problem(503, "Too many watch", mend)
        return StreamingResponse(self._events(watched), media_type="text/event-stream")

    async def _events(self, watched: Watched) -> AsyncIterator[bytes]:
        self._count += 1
        SUBSCRIBERS.set(self._count)
        try:
            yield b"retry: 2000\n\n"
            said, said_at = b"", time.monotonic()
            while not self._ended.is_set():
                event = await self._latest(watched)
                if event != said or time.monotonic() - said_at > HEARTBEAT_S:
                    yield event if event != said else ALIVE
                    said, said_at = event, time.monotonic()
                await self._pause()
        finally:
            self._count -= 1
            SUBSCRIBERS.set(self._count)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(EVERY_S):
                await self._ended.wait()
        except TimeoutError:
            return

    async def _latest(self, watched: Watched) -> bytes:
        """Give the event of what is known now; asked at most once in `EVERY_S`, whoever watches."""
        async with self._asking:
            at, event = self._known.get(watched, (0.0, b""))
            if time.monotonic() - at < EVERY_S * 0.9 and event:
                return event
            event = await self._ask(watched)
            self._known[watched] = time.monotonic(), event
            return event

    async def _ask(self, watched: Watched) -> bytes:
        span, lane = watched
        try:
            funnel = await self._queries.funnel(span, lane=lane)
        except RetryLater:
            return b"event: lost\ndata: {}\n\n"
        return b"event: funnel\ndata: " + orjson.dumps(funnel_view(funnel)) + b"\n\n"


def _watched(since: datetime | timedelta) -> timedelta:
    if since not in SPANS or isinstance(since, datetime):
        raise BadQueryError("the stream watches since=15m, 60m, 6h or 24h")
    return since
