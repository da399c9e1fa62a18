"""A simulation's answer: lines of JSON as they come."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

ENDS: Final = frozenset({"report", "failed"})
UNFINISHED: Final = b'{"kind":"failed","detail":"the simulation ended without a report: see the log"}\n'


class JsonLines(Response):
    """Lines as they come, until there are no more or nobody listens."""

    media_type = "application/x-ndjson"

    def __init__(
        self, first: bytes, lines: AsyncIterator[bytes], *, end: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(None)
        self._first, self._lines, self._end = first, lines, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's form
        """Send the lines; whatever happens, what makes them is ended."""
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
            await self._end()

    async def _tell(self, send: Send) -> None:
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        last = self._first
        await send({"type": "http.response.body", "body": last, "more_body": True})
        with suppress(TimeoutError):  # its time is over: it ends unfinished
            async for last in self._lines:
                await send({"type": "http.response.body", "body": last, "more_body": True})
        rest = b"" if _kind(last) in ENDS else UNFINISHED
        await send({"type": "http.response.body", "body": rest, "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _kind(line: bytes) -> str:
    return str(orjson.loads(line).get("kind"))
