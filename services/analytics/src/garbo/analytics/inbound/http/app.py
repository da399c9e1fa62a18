"""The query API and the console, over HTTP."""

from importlib.resources import files
from typing import Final
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from garbo.analytics.flow import Queries, Viewer
from garbo.analytics.inbound.http.funnel_views import Count, FunnelView, counts_view, funnel_view
from garbo.analytics.inbound.http.guard import Guard, every_brand_needed, shared_errors
from garbo.analytics.inbound.http.message_views import MessagesView, StoryView, message_view, story_view
from garbo.analytics.inbound.http.query import (
    LANE,
    LIMIT,
    SINCE,
    VERDICT,
    filter_of,
    lane_of,
    request_id_of,
    since_of,
)
from garbo.analytics.inbound.http.security_headers import SecurityHeaders
from garbo.analytics.inbound.http.stream import LiveFunnel
from garbo.common.runtime.http import JSONBytes, problem
from garbo.common.runtime.openapi import Api, ProblemDetails, openapi_routes
from garbo.common.runtime.operations import Answer, Parameter, operation, operations_of


class Endpoints:
    """One method a question."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    @operation("GET", "/v1/counts", scope="read", answers={200: Answer(dict[Count, int])})
    async def show_counts(self, _: Request, viewer: Viewer) -> Response:
        """Count all messages ever, by what became of them.

        The figures are of all brands: a key needs them all.
        """
        return every_brand_needed(viewer) or JSONBytes(counts_view(await self._queries.totals()))

    @operation("GET", "/v1/funnel", scope="read", parameters=(SINCE, LANE), answers={200: Answer(FunnelView)})
    async def show_funnel(self, request: Request, viewer: Viewer) -> Response:
        """Count the messages begun since an instant, step by step.

        The figures are of all brands: a key needs them all.
        """
        if refusal := every_brand_needed(viewer):
            return refusal
        query = request.query_params
        return JSONBytes(funnel_view(await self._queries.funnel(since_of(query), lane=lane_of(query))))

    @operation(
        "GET",
        "/v1/messages",
        scope="read",
        parameters=(LIMIT, VERDICT, LANE),
        answers={200: Answer(MessagesView)},
    )
    async def list_messages(self, request: Request, viewer: Viewer) -> Response:
        """List messages of the key's brands, the latest first."""
        facts = await self._queries.latest(filter_of(request.query_params, viewer.brands))
        return JSONBytes({"messages": [message_view(fact) for fact in facts]})

    @operation(
        "GET",
        "/v1/messages/{request_id}",
        scope="read",
        parameters=(
            Parameter("request_id", UUID, "As it was asked for.", "path"),
            Parameter("client", str, "Whose request, where several clients used the same id."),
        ),
        answers={200: Answer(StoryView)},
        errors={
            300: "Several clients used this id: `clients` names them.",
            404: "Nothing is known of this id, or nothing of the key's brands.",
        },
    )
    async def tell_message(self, request: Request, viewer: Viewer) -> Response:
        """Tell one message's story.

        By which hash the platform's records know it, scope `admin` alone sees.
        """
        request_id = request_id_of(request.path_params["request_id"])
        client = request.query_params.get("client") or None
        facts = await self._queries.messages_of(request_id, client, brands=viewer.brands)
        if not facts:
            return problem(404, "No such message", "Check the id; a request just sent shows up in a second.")
        if len(facts) > 1:
            clients = [fact.client for fact in facts]
            return problem(300, "Several messages", "Clients share this id: add ?client=.", clients=clients)
        return JSONBytes(story_view(facts[0], with_ref=viewer.sees_refs))


class Problem(ProblemDetails):
    """An error, as RFC 9457 has it."""

    clients: tuple[str, ...] | None = None
    """Who used the same id."""


API: Final = Api(
    title="Garbo analytics",
    summary="What became of every message.",
    port=8081,
    operations=operations_of(Endpoints, LiveFunnel),
    problem=Problem,
    shared_errors=shared_errors,
)


def http_app(queries: Queries, live: LiveFunnel, guard: Guard, *, health: list[Route]) -> SecurityHeaders:
    """Wire the routes: `/v1/...`, health, and the console at `/`."""
    console = StaticFiles(directory=str(files("garbo.analytics") / "inbound" / "console"), html=True)
    routes: list[BaseRoute] = [
        *guard.routes(Endpoints(queries)),
        *guard.routes(live),
        *health,
        *openapi_routes(API),
        Mount("/", console),
    ]
    return SecurityHeaders(Starlette(routes=routes))
