"""The way in: finds the handler, counts the requests in hand, opens the span, answers 503.

Plain ASGI, because a framework's routing and request objects cost as much as all our work on a webhook.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from opentelemetry.trace import SpanKind
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from garbo.common.errors import RetryLater
from garbo.common.runtime.door.bodies import header_values
from garbo.common.runtime.http import later, problem
from garbo.common.runtime.operations import Endpoint
from garbo.common.runtime.telemetry import context_from, tracer
from garbo.ingest.inbound.metrics import IN_FLIGHT

Handler = Callable[[Scope, Receive], Awaitable[Response | None]]
"""Answers one request; None when whoever asked has gone."""

log = structlog.get_logger()


class Gate:
    """An ASGI application: `endpoints` are handled here, everything else by `rest`, uncounted."""

    def __init__(self, endpoints: Iterable[Endpoint[Handler]], *, rest: ASGIApp) -> None:
        self._handlers: dict[str, dict[str, Handler]] = {}
        for one in endpoints:
            self._handlers.setdefault(one.operation.path, {})[one.operation.method] = one.handler
        self._rest = rest
        self._in_flight = 0
        IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        methods = self._handlers.get(scope["path"]) if scope["type"] == "http" else None
        if methods is None:
            await self._rest(scope, receive, send)
            return
        handler = methods.get(scope["method"])
        if handler is None:
            answer: Response | None = _not_that_way(methods)
        else:
            answer = await self._counted(handler, scope, receive)
        if answer is not None:
            await answer(scope, receive, send)

    async def _counted(self, handler: Handler, scope: Scope, receive: Receive) -> Response | None:
        self._in_flight += 1
        try:
            return await _traced(handler, scope, receive)
        finally:
            self._in_flight -= 1


async def _traced(handler: Handler, scope: Scope, receive: Receive) -> Response | None:
    parents = header_values(scope["headers"], b"traceparent")
    context = context_from(parents[0].decode("latin-1")) if len(parents) == 1 else None  # None: a new trace
    name = f"{scope['method']} {scope['path']}"
    with tracer().start_as_current_span(name, context=context, kind=SpanKind.SERVER) as span:
        try:
            answer = await handler(scope, receive)
        except RetryLater as error:
            log.warning("not taken", path=scope["path"], why=error.why)
            answer = later(
                "Not taken",
                "Kafka did not confirm it in time. Send the same request again, with the same ids.",
            )
        if answer is not None:
            span.set_attribute("http.response.status_code", answer.status_code)
        return answer


def _not_that_way(methods: Mapping[str, Handler]) -> Response:
    allowed = ", ".join(sorted(methods))
    answer = problem(405, "Method not allowed", f"Use {allowed}.")
    answer.headers["allow"] = allowed
    return answer
