"""What the sender answers over HTTP: how it is, what is paused, and files for messages."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from garbo.common.business import Keys
from garbo.common.runtime.auth import shared_errors
from garbo.common.runtime.keyed_app import FieldProblem, keyed_app
from garbo.common.runtime.openapi import Api
from garbo.common.runtime.operations import operations_of
from garbo.sender.inbound.media import GivenFiles
from garbo.sender.inbound.pauses import PausesByHand

API: Final = Api(
    title="Garbo sender",
    summary="How it is, what is paused, and files for messages.",
    port=8083,
    operations=operations_of(PausesByHand, GivenFiles),
    problem=FieldProblem,
    shared_errors=shared_errors,
)


def http_app(keys: Keys, pauses: PausesByHand, files: GivenFiles, *, health: Sequence[Route]) -> Starlette:
    """Wire the routes: `/v1/pauses`, `/v1/media`, the API's own description, and health."""
    return keyed_app(API, keys, [pauses, files], health=health)
