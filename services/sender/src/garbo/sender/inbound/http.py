"""What the sender answers over HTTP: how it is, and nothing else."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from garbo.common.runtime.openapi import Api, openapi_routes

API: Final = Api(title="Garbo sender", summary="How it is.", port=8083)


def http_app(health: Sequence[Route]) -> Starlette:
    """Wire the routes: health, and the API's own description."""
    return Starlette(routes=[*health, *openapi_routes(API)])
