"""The query API and the console, over HTTP."""

from collections.abc import Awaitable, Callable
from functools import wraps
from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from garbo.analytics.flow import Queries
from garbo.analytics.inbound.http.query import BadQueryError, filter_of, lane_of, request_id_of, since_of
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.analytics.inbound.http.views import counts_view, funnel_view, line_view, story_view
from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.http import JSONBytes, problem

Endpoint = Callable[[Request], Awaitable[Response]]

SECURITY_HEADERS: Final = (
    (
        b"content-security-policy",
        b"; ".join(
            (
                b"default-src 'none'",
                b"script-src 'self'",
                b"style-src 'self'",
                b"img-src 'self'",
                b"connect-src 'self'",
                b"base-uri 'none'",
                b"form-action 'none'",
                b"frame-ancestors 'none'",
            )
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)
"""Headers of every answer: the page takes nothing from outside, and nobody frames it."""


def http_app(queries: Queries, live: LiveFunnel, *, health: list[Route]) -> ASGIApp:
    """Wire the routes: `/v1/...`, health, and the console at `/`."""
    endpoints = Endpoints(queries)
    console = StaticFiles(directory=str(files("garbo.analytics") / "inbound" / "console"), html=True)
    routes: list[BaseRoute] = [
        Route("/v1/counts", with_problems(endpoints.counts)),
        Route("/v1/funnel", with_problems(endpoints.funnel)),
        Route("/v1/messages", with_problems(endpoints.messages)),
        Route("/v1/messages/{request_id}", with_problems(endpoints.message)),
        Route("/v1/stream", with_problems(live.stream)),
        *health,
        Mount("/", console),
    ]
    return SecurityHeaders(Starlette(routes=routes))


class Endpoints:
    """One method a question."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def counts(self, _: Request) -> Response:
        """Count all messages ever, by what became of them."""
        return JSONBytes(counts_view(await self._queries.totals()))

    async def funnel(self, request: Request) -> Response:
        """Count the messages begun since an instant, step by step."""
        query = request.query_params
        return JSONBytes(funnel_view(await self._queries.funnel(since_of(query), lane=lane_of(query))))

    async def messages(self, request: Request) -> Response:
        """List messages, the latest first."""
        facts = await self._queries.latest(filter_of(request.query_params))
        return JSONBytes({"messages": [line_view(fact) for fact in facts]})

    async def message(self, request: Request) -> Response:
        """Tell one message's story."""
        request_id = request_id_of(request.path_params["request_id"])
        facts = await self._queries.messages_of(request_id, request.query_params.get("client") or None)
        if not facts:
            return problem(404, "No such message", "Check the id; a request just sent shows up in a second.")
        if len(facts) > 1:
            clients = [fact.client for fact in facts]
            return problem(300, "Several messages", "Clients share this id: add ?client=.", clients=clients)
        return JSONBytes(story_view(facts[0]))


def with_problems(endpoint: Endpoint) -> Endpoint:
    """Turn what is expected to go wrong into problem details."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BadQueryError as bad:
            return problem(400, "This cannot be asked", f"{bad}.")
        except Reject:
            return problem(400, "This cannot be asked", "A parameter holds what no text here can hold.")
        except RetryLater:
            return problem(503, "Not now", "The database does not answer: ask again in a few seconds.")

    return answer


class SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every answer of an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, guarded."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        await self._app(scope, receive, guarded)
