"""The whole API: every resource behind one door, every error as problem details."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.business import Business
from garbo.common.runtime.http import problem
from garbo.common.runtime.openapi import Api, ProblemDetails, openapi_routes
from garbo.common.runtime.operations import operations_of
from garbo.router.inbound.http.auth import Auth, shared_errors
from garbo.router.inbound.http.contacts import Contacts
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.http.policies import PolicySimulations
from garbo.router.inbound.http.suppressions import Suppressions


class Problem(ProblemDetails):
    """An error, as RFC 9457 has it."""

    field: str | None = None
    """The field of the body at fault."""
    index: int | None = None
    """The element of the array at fault."""
    reason: str | None = None
    errors: tuple[str, ...] | None = None
    """All that is wrong, where it is more than one thing."""


API: Final = Api(
    title="Garbo router",
    summary="What would be decided, what was, and why.",
    port=8082,
    operations=operations_of(Decisions, Contacts, Suppressions, PolicySimulations),
    problem=Problem,
    shared_errors=shared_errors,
)


def http_app(business: Business, resources: Sequence[object], *, health: Sequence[Route]) -> Starlette:
    """Wire the routes: `/v1/...`, the API's own description, and health."""
    auth = Auth(business)
    routes = [route for resource in resources for route in auth.routes(resource)]
    return Starlette(
        routes=[*health, *openapi_routes(API), *routes],
        exception_handlers={HTTPException: _as_problem, 500: _as_fault},
    )


async def _as_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    answer = problem(
        status, HTTPStatus(status).phrase, f"{request.method} is not answered here: see /openapi.json."
    )
    answer.headers.update(dict(getattr(error, "headers", None) or {}))
    return answer


async def _as_fault(_: Request, __: Exception) -> Response:
    return problem(500, "Our fault", "This call met a bug of ours; the log says which.")
