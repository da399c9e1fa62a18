"""An HTTP API whose every resource wants a key: one door, every error as problem details."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.business import Keys
from garbo.common.runtime.auth import Auth
from garbo.common.runtime.http import problem
from garbo.common.runtime.openapi import Api, ProblemDetails, openapi_routes


class FieldProblem(ProblemDetails):
    """An error, as RFC 9457 has it."""

    field: str | None = None
    """The field of the body at fault."""
    index: int | None = None
    """The element of the array at fault."""
    reason: str | None = None
    errors: tuple[str, ...] | None = None
    """All that is wrong, where it is more than one thing."""


def keyed_app(api: Api, keys: Keys, resources: Sequence[object], *, health: Sequence[Route]) -> Starlette:
    """Wire the routes: the resources behind their keys, the API's own description, and health."""
    auth = Auth(keys)
    routes = [route for resource in resources for route in auth.routes(resource)]
    return Starlette(
        routes=[*health, *openapi_routes(api), *routes],
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
