"""The whole API: every resource behind one door, every error as problem details."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from garbo.common.business import Business
from garbo.common.runtime.http import problem
from garbo.router.inbound.http.auth import Auth
from garbo.router.inbound.http.openapi import openapi_route


class Resource(Protocol):
    """One resource of the API."""

    def routes(self, door: Auth) -> list[Route]:
        """Give its routes."""
        ...


def http_app(business: Business, resources: Sequence[Resource], *, health: Sequence[Route]) -> Starlette:
    """Wire the routes: `/v1/...`, the API's own description, and health."""
    door = Auth(business)
    routes: list[BaseRoute] = [route for resource in resources for route in resource.routes(door)]
    return Starlette(
        routes=[*health, openapi_route(), *routes],
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
