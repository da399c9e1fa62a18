"""The API's own description: OpenAPI 3.1, made from the models that read requests and write answers.

`python -m garbo.router.inbound.http.openapi FILE` writes it as YAML.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.requests import SendRequested
from garbo.common.runtime.http import JSONBytes
from garbo.router.inbound.http.decisions import MOST_PREVIEWS
from garbo.router.inbound.http.operations import OPERATIONS, Operation, Problem
from garbo.router.inbound.http.policies import SimulationAsked, SimulationFailed, SimulationProgress
from garbo.router.inbound.http.suppressions import ListTaken, SuppressionList
from garbo.router.inbound.http.views.contact import ContactErased, ContactFound, ContactView
from garbo.router.inbound.http.views.preview import PeoplePreviewView
from garbo.router.inbound.http.views.simulation import SimulationReport

READ: Final[Sequence[type[BaseModel]]] = (SendRequested, Recipient, SimulationAsked, SuppressionList)
WRITTEN: Final[Sequence[type[BaseModel]]] = (
    DecisionMade,
    PeoplePreviewView,
    ContactFound,
    ContactView,
    ContactErased,
    ListTaken,
    SimulationProgress,
    SimulationFailed,
    SimulationReport,
    Problem,
)
REF: Final = "#/components/schemas/{model}"
FILLED: Final = ("request_id", "client", "requested_at")
"""Of a request only its sending needs these; a preview may leave them out."""


def openapi_document() -> dict[str, Any]:
    """Give the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Garbo router",
            "version": "1",
            "summary": "What would be decided, what was, and why.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8082"}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key of the business file. Each operation names its scope.",
                }
            },
            "schemas": _schemas(),
        },
    }


def openapi_yaml() -> str:
    """Give the document as the file that is committed."""
    return yaml.safe_dump(openapi_document(), sort_keys=False, allow_unicode=True, width=110)


def openapi_route() -> Route:
    """Give the route that serves it to anybody."""
    document = openapi_document()

    async def show(_: Request) -> Response:
        return JSONBytes(document)

    return Route("/openapi.json", show, methods=["GET"])


def _paths() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return paths


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"{operation.description}\n\nScope: `{operation.scope}`.".strip(),
    }
    if operation.parameters:
        described["parameters"] = [dict(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        content = {"application/json": {"schema": dict(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    described["responses"] = {
        str(operation.status): {
            "description": operation.answer_words,
            "content": {operation.media: {"schema": dict(operation.answer)}},
        }
    } | {str(status): _problem(words) for status, words in operation.all_errors().items()}
    return described


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": REF.format(model="Problem")}
    return {"description": words, "content": {"application/problem+json": {"schema": schema}}}


def _schemas() -> dict[str, Any]:
    _, read = models_json_schema([(model, "validation") for model in READ], ref_template=REF)
    _, written = models_json_schema([(model, "serialization") for model in WRITTEN], ref_template=REF)
    schemas: dict[str, Any] = {**written["$defs"], **read["$defs"]}
    schemas["PreviewRequest"] = _preview_request(schemas.pop("SendRequested"))
    return dict(sorted(schemas.items()))


def _preview_request(send_requested: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a request as a preview reads it: to one person or many, without what only sending needs."""
    many = {
        "type": "array",
        "items": {"$ref": REF.format(model="Recipient")},
        "minItems": 1,
        "maxItems": MOST_PREVIEWS,
    }
    to = {"anyOf": [{"$ref": REF.format(model="Recipient")}, many]}
    return {
        **send_requested,
        "title": "PreviewRequest",
        "description": "A request as `garbo.send.requested.v1` has it; `to` may be a list of people.",
        "required": [name for name in send_requested["required"] if name not in FILLED],
        "properties": {**send_requested["properties"], "to": to},
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(openapi_yaml(), encoding="utf-8")
