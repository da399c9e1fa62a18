"""A server on a real socket, and callers that keep to no rule."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from garbo.common.runtime.door.hosts import AllowedHosts
from garbo.common.runtime.door.limits import Limits
from garbo.common.runtime.http import HttpServer
from libs.common.tests.support.waiting import until
from tests.support.ports import free_ports

WITHIN_S: Final = 10.0
"""Far more than anything here takes."""
GET: Final = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Caller:
    """One connection, byte by byte.

    A bare socket: asyncio's streams lose what was already said when the server then hangs up on them.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()

    async def say(self, *pieces: bytes) -> None:
        """Send; a server that has hung up is no error here."""
        with suppress(ConnectionError):
            for piece in pieces:
                await self._loop.sock_sendall(self._socket, piece)

    async def hears(self, *, until: bytes = b"") -> bytes:
        """Give what comes until these bytes, or until the server hangs up."""
        heard = b""
        async with asyncio.timeout(WITHIN_S):
            with suppress(ConnectionError):
                while piece := await self._loop.sock_recv(self._socket, 65536):
                    heard += piece
                    if until and until in heard:
                        break
        return heard

    async def asks(self, *pieces: bytes) -> bytes:
        """Send, and give all that comes until the server hangs up."""
        await self.say(*pieces)
        return await self.hears()

    def hang_up(self) -> None:
        """Close."""
        self._socket.close()


class Served:
    """A running server, by its port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._callers: list[Caller] = []

    async def call(self, address: str = "127.0.0.1") -> Caller:
        """Connect, from this address of the machine."""
        connection = socket.socket()
        connection.setblocking(False)
        connection.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        caller = Caller(connection)
        self._callers.append(caller)
        return caller

    async def asks(self, *pieces: bytes, address: str = "127.0.0.1") -> bytes:
        """Connect, send, and give all that comes until the server hangs up."""
        caller = await self.call(address)
        return await caller.asks(*pieces)

    def hang_up(self) -> None:
        """Close what callers left open."""
        for caller in self._callers:
            caller.hang_up()


@asynccontextmanager
async def serving(
    app: ASGIApp, limits: Limits | None = None, *, hosts: AllowedHosts | None = None
) -> AsyncIterator[Served]:
    """Run a server while the block lasts, on a loop of its own: uvloop's, as in every process of ours."""
    (port,) = free_ports(1)
    ready, over = asyncio.Event(), threading.Event()
    here = asyncio.get_running_loop()

    async def serve() -> None:
        server = HttpServer(app, host="127.0.0.1", port=port, limits=limits or Limits(), hosts=hosts)
        await server.start()
        here.call_soon_threadsafe(ready.set)
        await until(over.is_set)
        await server.stop()

    running = asyncio.create_task(asyncio.to_thread(lambda: uvloop.run(serve())))
    served = Served(port)
    try:
        async with asyncio.timeout(WITHIN_S):
            await ready.wait()
        yield served
    finally:
        served.hang_up()
        over.set()
        await running


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was sent; the host header goes into a header."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await _answer(send, body, dict(scope["headers"]).get(b"host", b"none"))


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    await _answer(send, b"no", b"")


async def _answer(send: Send, body: bytes, host: bytes) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-length", length), (b"x-host", host)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
