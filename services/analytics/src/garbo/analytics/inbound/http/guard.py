"""The door of every question: who asks, and which brands' messages they may see."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.analytics.flow import Viewer
from garbo.analytics.inbound.http.query import BadQueryError
from garbo.common.business import Client, Keys
from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.door.keyless import Keyless
from garbo.common.runtime.door.keys import bearer_of
from garbo.common.runtime.http import later, problem
from garbo.common.runtime.operations import Endpoint, Operation, endpoints_of, routes_of

Handler = Callable[[Request, Viewer], Awaitable[Response]]


class Guard:
    """Makes routes out of handlers: a key with the scope, or no key from where none is needed."""

    def __init__(self, keys: Keys, keyless: Keyless) -> None:
        self._keys, self._keyless = keys, keyless

    def routes(self, resource: object) -> list[Route]:
        """Give the routes of a resource."""
        endpoints = endpoints_of(resource)
        return routes_of([Endpoint(one.operation, self._guarded(one)) for one in endpoints])

    def _guarded(self, endpoint: Endpoint[Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            viewer = self._viewer(request, endpoint.operation)
            return (
                viewer if isinstance(viewer, Response) else await _answered(endpoint.handler, request, viewer)
            )

        return answer

    def _viewer(self, request: Request, operation: Operation) -> Viewer | Response:
        key = bearer_of(request.scope["headers"])
        if "authorization" not in request.headers and self._keyless.admits(request.scope):
            return Viewer(brands=None, sees_refs=False)
        client = self._keys.client_of_key(key) if key else None
        if client is None:
            refusal = problem(
                401, "No valid API key", "Send Authorization: Bearer and a key of the business file."
            )
            refusal.headers["www-authenticate"] = "Bearer"
            return refusal
        if operation.scope not in client.scopes:
            return problem(403, "Not allowed", f"This key needs the scope {operation.scope}.")
        return self._as_viewer(client)

    def _as_viewer(self, client: Client) -> Viewer:
        has_all = {brand.id for brand in self._keys.brands} <= set(client.brands)
        return Viewer(brands=None if has_all else client.brands, sees_refs="admin" in client.scopes)


def shared_errors(operation: Operation) -> Mapping[int, str]:
    """Say how any question may be refused here, by status."""
    if operation.scope is None:
        return {}
    return {
        401: "The API key is missing or unknown, and one is needed from where this was asked.",
        403: "The key may not ask this.",
        422: "A parameter nobody can answer: `detail` says what to give.",
        503: "The database is away.",
    }


def every_brand_needed(viewer: Viewer) -> Response | None:
    """Refuse figures over all brands to a key that has but some of them."""
    if viewer.brands is None:
        return None
    return problem(
        403, "Not your brands alone", "These figures are of all brands: use a key that has them all."
    )


async def _answered(handler: Handler, request: Request, viewer: Viewer) -> Response:
    """Turn what is expected to go wrong into problem details."""
    try:
        return await handler(request, viewer)
    except BadQueryError as bad:
        return problem(422, "This cannot be asked", f"{bad}.")
    except Reject:
        return problem(422, "This cannot be asked", "A parameter holds what no text here can hold.")
    except RetryLater:
        return later("Not now", "The database does not answer: ask again in a few seconds.")
