"""What must hold of the OpenAPI document of every service."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from starlette.routing import BaseRoute, Route, compile_path

from garbo.common.contracts.openapi import openapi_yaml
from garbo.common.runtime.openapi import Api

DOCS = Path(__file__).parents[4] / "docs"


def assert_committed(api: Api, file: str) -> None:
    """Hold the file under docs/ to the code; its schemas are schemas, its references lead somewhere."""
    assert (DOCS / file).read_text(encoding="utf-8") == openapi_yaml(api), "type: make generate"
    schemas = api.document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    named = {part.split("'")[0] for part in str(api.document).split("#/components/schemas/")[1:]}
    assert named <= schemas.keys()


def described(api: Api) -> set[tuple[str, str]]:
    """Give every method and path the document describes."""
    return {(method.upper(), path) for path, methods in api.document["paths"].items() for method in methods}


def served(routes: Iterable[BaseRoute]) -> set[tuple[str, str]]:
    """Give every method and path that routes answer; HEAD comes with GET, and files are no API."""
    plain = [route for route in routes if isinstance(route, Route)]
    return {(method, route.path) for route in plain for method in route.methods or () if method != "HEAD"}


def faults(api: Api, answer: httpx.Response) -> list[str]:
    """Say where an answer is not as the document describes it."""
    told = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
    responses = _responses(api, answer.request)
    if str(answer.status_code) not in responses:
        return [f"{told}: not described"]
    content = responses[str(answer.status_code)].get("content", {})
    media = answer.headers.get("content-type", "").partition(";")[0]
    if media not in content:
        return [f"{told}: {media} instead of {list(content)}"] if content or answer.content else []
    return [
        f"{told}: {fault}"
        for value in _values(answer, media)
        for fault in validation(api, content[media], value)
    ]


def validation(api: Api, content: dict[str, Any], value: object) -> list[str]:
    """Say where a value is not as a schema of the document has it."""
    whole = {**content["schema"], "components": api.document["components"]}
    checker = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in checker.iter_errors(value)]


def body_faults(api: Api, method: str, path: str, body: object) -> list[str]:
    """Say where a body is not as an operation asks for it."""
    request = api.document["paths"][path][method.lower()]["requestBody"]
    return validation(api, request["content"]["application/json"], body)


def _responses(api: Api, request: httpx.Request) -> dict[str, Any]:
    for path, methods in api.document["paths"].items():
        if compile_path(path)[0].fullmatch(request.url.path) and request.method.lower() in methods:
            found: dict[str, Any] = methods[request.method.lower()]["responses"]
            return found
    return {}


def _values(answer: httpx.Response, media: str) -> list[object]:
    if media == "application/x-ndjson":
        return [httpx.Response(200, text=line).json() for line in answer.text.splitlines()]
    return [answer.json()] if media.endswith("json") else [answer.text]
