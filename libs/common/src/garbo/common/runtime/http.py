"""An HTTP server as a component, and errors as problem details."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp

from garbo.common.errors import StartRefused


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


class HttpServer:
    """Serves an ASGI application on one address until stopped; finishes requests in hand first."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, limit_concurrency: int | None = None) -> None:
        self.host, self.port = host, port
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=limit_concurrency,
            timeout_graceful_shutdown=10,
            backlog=2048,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

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

    async def stop(self) -> None:
        """Stop listening, finish the requests in hand (10 s at most)."""
        self._server.should_exit = True
        if self._task:
            await self._task

    async def wait_failed(self) -> BaseException:
        """Return when the server ended without being told to."""
        if self._task is None:
            return RuntimeError("not started")
        await asyncio.wait([self._task])
        return self._task.exception() or RuntimeError("server ended")


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
