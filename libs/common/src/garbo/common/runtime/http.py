"""An HTTP server as a component, and errors as problem details."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

import orjson
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp

from garbo.common.errors import StartRefused
from garbo.common.runtime.door.connection import Connection
from garbo.common.runtime.door.connections import LOOK_EVERY_S, Connections
from garbo.common.runtime.door.descriptors import limits_within
from garbo.common.runtime.door.hosts import AllowedHosts
from garbo.common.runtime.door.limits import Limits
from garbo.common.runtime.settings import WithHttp

ANSWER_HEADERS: Final = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
"""Of every answer, errors and refusals included."""


class JSONBytes(Response):
    """A JSON response written by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - JSON is any value
        """Write the value."""
        return orjson.dumps(content)


class Problem(Response):
    """An error as RFC 9457 problem details."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - JSON is any value
        """Write the value."""
        return orjson.dumps(content)


def problem(status: int, title: str, detail: str, **more: Any) -> Problem:  # noqa: ANN401
    """Answer with an error: what is wrong (`title`), and what to do (`detail`). Never quote the body."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Problem(body, status_code=status)


def later(title: str, detail: str) -> Problem:
    """Answer that it cannot be done just now: the same may be sent again in a second."""
    answer = problem(503, title, detail)
    answer.headers["retry-after"] = "1"
    return answer


class HttpServer:
    """Serves an ASGI application on one address until stopped; finishes requests in hand first."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        hosts: AllowedHosts | None = None,
    ) -> None:
        self.host, self.port = host, port
        self._connections = Connections(limits_within(limits))
        protocol = partial(Connection, connections=self._connections, hosts=hosts or AllowedHosts())
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=cast("type[asyncio.Protocol]", protocol),
            ws="none",
            headers=ANSWER_HEADERS,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
            backlog=2048,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises `StartRefused` when the port is taken."""
        try:
            bound = self._server.config.bind_socket()
        except SystemExit:
            raise StartRefused(
                f"port {self.port} on {self.host} is taken: stop what listens there, or set another port."
            ) from None
        # Inherited by each connection. asyncio sets it only on sockets made with proto=IPPROTO_TCP, which
        # uvicorn's are not; without it Nagle and delayed acknowledgement cost 40 ms an answer.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._task = asyncio.create_task(self._server.serve([bound]))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait([self._task, listening], return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        self._looking = asyncio.create_task(self._look(), name="look after connections")

    async def stop(self) -> None:
        """Stop listening, finish the requests in hand (10 s at most)."""
        self._server.should_exit = True
        if self._task:
            await self._task
        if self._looking:
            self._looking.cancel()

    async def wait_failed(self) -> BaseException:
        """Return when the server, or what looks after its connections, ended without being told to."""
        parts = [part for part in (self._task, self._looking) if part is not None]
        if not parts:
            return RuntimeError("not started")
        ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        return ended.pop().exception() or RuntimeError("server ended")

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._connections.look(loop.time())


def server_of(settings: WithHttp, app: ASGIApp) -> HttpServer:
    """Make the server of a process as its settings say."""
    limits = Limits(
        sockets=settings.http_sockets,
        sockets_per_address=min(settings.http_sockets_per_address, settings.http_sockets),
    )
    hosts = AllowedHosts(settings.allowed_hosts)
    return HttpServer(app, host=settings.host, port=settings.port, limits=limits, hosts=hosts)


class _Server(uvicorn.Server):
    """Leaves signals to the lifecycle, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self.listening.set()
