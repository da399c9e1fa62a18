"""The query API and the console, over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from importlib.resources import files
from typing import Final
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from garbo.analytics.flow import Queries
from garbo.analytics.inbound.http.funnel_views import Count, FunnelView, counts_view, funnel_view
from garbo.analytics.inbound.http.message_views import MessagesView, StoryView, message_view, story_view
from garbo.analytics.inbound.http.query import (
    LANE,
    LIMIT,
    SINCE,
    VERDICT,
    BadQueryError,
    filter_of,
    lane_of,
    request_id_of,
    since_of,
)
from garbo.analytics.inbound.http.security_headers import SecurityHeaders
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.http import JSONBytes, problem
from garbo.common.runtime.openapi import Api, ProblemDetails, openapi_routes
from garbo.common.runtime.operations import (
    Answer,
    Endpoint,
    Operation,
    Parameter,
    endpoints_of,
    operation,
    operations_of,
    routes_of,
)

Handler = Callable[[Request], Awaitable[Response]]


class Endpoints:
    """One method a question."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    @operation("GET", "/v1/counts", answers={200: Answer(dict[Count, int])})
    async def show_counts(self, _: Request) -> Response:
        """Count all messages ever, by what became of them."""
        return JSONBytes(counts_view(await self._queries.totals()))

    @operation("GET", "/v1/funnel", parameters=(SINCE, LANE), answers={200: Answer(FunnelView)})
    async def show_funnel(self, request: Request) -> Response:
        """Count the messages begun since an instant, step by step."""
        query = request.query_params
        return JSONBytes(funnel_view(await self._queries.funnel(since_of(query), lane=lane_of(query))))

    @operation(
        "GET",
        "/v1/messages",
        parameters=(LIMIT, VERDICT, LANE),
        answers={200: Answer(MessagesView)},
    )
    async def list_messages(self, request: Request) -> Response:
        """List messages, the latest first."""
        facts = await self._queries.latest(filter_of(request.query_params))
        return JSONBytes({"messages": [message_view(fact) for fact in facts]})

    @operation(
        "GET",
        "/v1/messages/{request_id}",
        parameters=(
            Parameter("request_id", UUID, "As it was asked for.", "path"),
            Parameter("client", str, "Whose request, where several clients used the same id."),
        ),
        answers={200: Answer(StoryView)},
        errors={
            300: "Several clients used this id: `clients` names them.",
            404: "Nothing is known of this id.",
        },
    )
    async def tell_message(self, request: Request) -> Response:
        """Tell one message's story."""
        request_id = request_id_of(request.path_params["request_id"])
        facts = await self._queries.messages_of(request_id, request.query_params.get("client") or None)
        if not facts:
            return problem(404, "No such message", "Check the id; a request just sent shows up in a second.")
        if len(facts) > 1:
            clients = [fact.client for fact in facts]
            return problem(300, "Several messages", "Clients share this id: add ?client=.", clients=clients)
        return JSONBytes(story_view(facts[0]))


class Problem(ProblemDetails):
    """An error, as RFC 9457 has it."""

    clients: tuple[str, ...] | None = None
    """Who used the same id."""


def _shared_errors(operation: Operation) -> Mapping[int, str]:
    if not operation.path.startswith("/v1/"):
        return {}
    return {400: "A parameter nobody can answer: `detail` says what to give.", 503: "The database is away."}


API: Final = Api(
    title="Garbo analytics",
    summary="What became of every message.",
    port=8081,
    operations=operations_of(Endpoints, LiveFunnel),
    problem=Problem,
    shared_errors=_shared_errors,
)


def http_app(queries: Queries, live: LiveFunnel, *, health: list[Route]) -> SecurityHeaders:
    """Wire the routes: `/v1/...`, health, and the console at `/`."""
    endpoints = [*endpoints_of(Endpoints(queries)), *endpoints_of(live)]
    console = StaticFiles(directory=str(files("garbo.analytics") / "inbound" / "console"), html=True)
    routes: list[BaseRoute] = [
        *routes_of(Endpoint(one.operation, with_problems(one.handler)) for one in endpoints),
        *health,
        *openapi_routes(API),
        Mount("/", console),
    ]
    return SecurityHeaders(Starlette(routes=routes))


def with_problems(handler: Handler) -> Handler:
    """Turn what is expected to go wrong into problem details."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except BadQueryError as bad:
            return problem(400, "This cannot be asked", f"{bad}.")
        except Reject:
            return problem(400, "This cannot be asked", "A parameter holds what no text here can hold.")
        except RetryLater:
            return problem(503, "Not now", "The database does not answer: ask again in a few seconds.")

    return answer
