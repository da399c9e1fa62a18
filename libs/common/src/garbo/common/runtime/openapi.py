"""An API's own description: OpenAPI 3.1, made from what its operations declare."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.runtime.health import Health
from garbo.common.runtime.http import JSONBytes
from garbo.common.runtime.operations import (
    Answer,
    Operation,
    Parameter,
    endpoints_of,
    operation,
    operations_of,
    routes_of,
)

REF: Final = "#/components/schemas/{model}"
KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key of the business file. Each operation names its scope.",
}
_BYTES: Final = {"type": "string", "format": "binary"}
Json = dict[str, Any]
Mode = Literal["validation", "serialization"]
Place = tuple[str, int]
"""Where a type is used: the operation's id, and the status it answers or `BODY`."""
Schemas = Mapping[Place, Json]
BODY: Final = 0
PROBLEM: Final = ("", 0)


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    """What is wrong."""
    status: int
    detail: str
    """What to do."""


def no_errors(_: Operation) -> Mapping[int, str]:
    """Give none."""
    return {}


@dataclass(frozen=True)
class Api:
    """All that one service answers over HTTP, health and this description included."""

    title: str
    summary: str
    port: int
    operations: Sequence[Operation] = ()
    problem: type[BaseModel] = ProblemDetails
    """How its errors look."""
    shared_errors: Callable[[Operation], Mapping[int, str]] = no_errors
    """The refusals that many operations have in common, by status."""

    @cached_property
    def document(self) -> Json:
        """The document."""
        operations = (*self.operations, *operations_of(Description, Health))
        schemas, components = self._schemas(operations)
        paths: dict[str, Json] = {}
        for one in operations:
            paths.setdefault(one.path, {})[one.method.lower()] = self._described(one, schemas)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": self.title,
                "version": "1",
                "summary": self.summary,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": f"http://127.0.0.1:{self.port}"}],
            "paths": paths,
            "components": {"schemas": components}
            | ({"securitySchemes": {"key": KEY}} if any(one.scope for one in operations) else {}),
        }

    def _schemas(self, operations: Sequence[Operation]) -> tuple[Schemas, Json]:
        """Give the schema of each type by its place, and the components they refer to."""
        types = [typed for one in operations for typed in _types(one)]
        inputs = [(place, mode, TypeAdapter(kind)) for place, mode, kind in types]
        inputs.append((PROBLEM, "serialization", TypeAdapter(self.problem)))
        schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=REF)
        by_place = {place: schema for (place, _), schema in schemas.items()}
        return by_place, dict(sorted(shared["$defs"].items()))

    def _described(self, one: Operation, schemas: Schemas) -> Json:
        described: Json = {"operationId": one.id, "summary": one.summary}
        scope = f"Scope: `{one.scope}`." if one.scope else ""
        if words := "\n\n".join(filter(None, (one.description, scope))):
            described["description"] = words
        if one.scope:
            described["security"] = [{"key": [one.scope]}]
        if one.parameters:
            described["parameters"] = [_parameter(parameter) for parameter in one.parameters]
        if one.body is not None:
            content = {"application/json": {"schema": schemas[one.id, BODY]}}
            described["requestBody"] = {"required": True, "content": content}
        elif one.raw_body:
            described["requestBody"] = {"required": True, "content": {"*/*": {"schema": _BYTES}}}
        problem = {"application/problem+json": {"schema": schemas[PROBLEM]}}
        errors = {
            status: {"description": words, "content": problem}
            for status, words in {**self.shared_errors(one), **one.errors}.items()
        }
        answers = {
            status: _answer(answer, schemas.get((one.id, status))) for status, answer in one.answers.items()
        }
        described["responses"] = {str(status): said for status, said in sorted((errors | answers).items())}
        return described


class Description:
    """The route that shows an API's description to anybody; it is made when first asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @operation("GET", "/openapi.json", answers={200: Answer(dict[str, Any], "OpenAPI 3.1.")})
    async def describe_api(self, _: Request) -> Response:
        """Show this description."""
        return JSONBytes(self._api.document)


def openapi_routes(api: Api) -> list[Route]:
    """Give `/openapi.json`."""
    return routes_of(endpoints_of(Description(api)))


def _types(one: Operation) -> Iterator[tuple[Place, Mode, Any]]:
    if one.body is not None:
        yield (one.id, BODY), "validation", one.body
    for status, answer in one.answers.items():
        if answer.type is not None:
            yield (one.id, status), "serialization", answer.type


def _answer(answer: Answer, schema: Json | None) -> Json:
    if schema is None:
        return {"description": answer.words}
    return {"description": answer.words, "content": {answer.media: {"schema": schema}}}


def _parameter(parameter: Parameter) -> Json:
    schema = TypeAdapter(parameter.type).json_schema()
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "schema": schema if parameter.default is None else {**schema, "default": parameter.default},
        "description": parameter.words,
    }
