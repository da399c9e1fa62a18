"""Posts signed bodies to the business until it answers 200."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from garbo.simulator.metrics import POSTS
from garbo.simulator.webhooks.outbox import Body, Outbox
from garbo.simulator.webhooks.updates import signature

PIECE_BYTES: Final = 256 * 1024
POST_TIMEOUT_S = 20.0
"""Meta does not say how long it waits; long enough for a broker that is being restarted."""


class Courier:
    """A few deliveries at a time. `run` is its endless loop; what is pending when it ends is lost."""

    def __init__(self, *, outbox: Outbox, app_secret: str, concurrency: int = 8) -> None:
        self._outbox = outbox
        self._app_secret = app_secret
        self._concurrency = concurrency

    async def run(self) -> None:
        """Deliver, for ever."""
        limits = httpx.Limits(max_connections=self._concurrency)
        async with (
            HttpxAiohttpClient(timeout=POST_TIMEOUT_S, limits=limits) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(self._concurrency):
                group.create_task(self._deliver(client))

    async def _deliver(self, client: httpx.AsyncClient) -> None:
        while True:
            body = await self._outbox.next_body()
            if await self._post(client, body):
                self._outbox.delivered(body)
            else:
                self._outbox.refused(body)

    async def _post(self, client: httpx.AsyncClient, body: Body) -> bool:
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body.raw)),
            "user-agent": "facebookexternalua",
            "x-hub-signature-256": signature(self._app_secret, body.raw),
        }
        self._outbox.counts.posts += 1
        try:
            answer = await client.post(body.url, content=_pieces(body.raw), headers=headers)
        except httpx.HTTPError:
            POSTS.labels("nothing").inc()
            return False
        POSTS.labels(str(answer.status_code)).inc()
        return answer.status_code == httpx.codes.OK


async def _pieces(raw: bytes) -> AsyncIterator[bytes]:
    """Give a body in pieces: a large one, written whole, would hold up the loop."""
    for start in range(0, len(raw), PIECE_BYTES):
        yield raw[start : start + PIECE_BYTES]
