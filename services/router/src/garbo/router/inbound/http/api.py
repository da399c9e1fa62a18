"""The whole API: every resource behind one door."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from garbo.common.business import Keys
from garbo.common.runtime.auth import shared_errors
from garbo.common.runtime.keyed_app import FieldProblem, keyed_app
from garbo.common.runtime.openapi import Api
from garbo.common.runtime.operations import operations_of
from garbo.router.inbound.http.contacts import Contacts
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.http.policies import PolicySimulations
from garbo.router.inbound.http.suppressions import Suppressions

API: Final = Api(
    title="Garbo router",
    summary="What would be decided, what was, and why.",
    port=8082,
    operations=operations_of(Decisions, Contacts, Suppressions, PolicySimulations),
    problem=FieldProblem,
    shared_errors=shared_errors,
)


def http_app(keys: Keys, resources: Sequence[object], *, health: Sequence[Route]) -> Starlette:
    """Wire the routes: `/v1/...`, the API's own description, and health."""
    return keyed_app(API, keys, resources, health=health)
