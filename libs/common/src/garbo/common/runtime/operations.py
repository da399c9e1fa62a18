"""What an HTTP API offers, declared once: routes, scopes and the OpenAPI document come from here."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Any, Final, Generic, Literal, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

H = TypeVar("H", bound=Callable[..., Any])
_MARK: Final = "__operation__"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the path, in the query string or in a header."""

    name: str
    type: Any
    """As pydantic reads it."""
    words: str
    place: Literal["path", "query", "header"] = "query"
    default: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers with."""

    type: Any = None
    """As pydantic writes it; None: no body."""
    words: str = "The answer."
    media: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    answers: Mapping[int, Answer]
    """By status."""
    summary: str
    description: str = ""
    scope: str | None = None
    """What the caller's key must have; None: no key is asked for."""
    body: Any = None
    """The type of the JSON that is read; None: no body is read."""
    raw_body: bool = False
    """A file's bytes are read by the handler itself, as they come."""
    parameters: Sequence[Parameter] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    """Its own refusals, by status; those that many operations share are said once, by the service."""
    answer_s: float | None = None
    """In what time it answers, where that is not what the service says of all."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[H]):
    """An operation and what answers it."""

    operation: Operation
    handler: H


def operation(
    method: str,
    path: str,
    *,
    answers: Mapping[int, Answer],
    **more: Any,  # noqa: ANN401 - fields of Operation
) -> Callable[[H], H]:
    """Declare what a handler answers; its name is the operation's id, its docstring what people read."""

    def declare(handler: H) -> H:
        summary, *paragraphs = (getdoc(handler) or "").split("\n\n")
        declared = Operation(
            id=camel_case(handler.__name__),
            method=method,
            path=path,
            answers=answers,
            summary=summary.removesuffix("."),
            description="\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs),
            **more,
        )
        setattr(handler, _MARK, declared)
        return handler

    return declare


def operations_of(*resources: type) -> list[Operation]:
    """Give what the handlers of classes declare, in the order they are written."""
    members = (member for resource in resources for member in vars(resource).values())
    return [getattr(member, _MARK) for member in members if hasattr(member, _MARK)]


def endpoints_of(resource: object) -> list[Endpoint[Any]]:
    """Give the handlers of one resource, each with what it declares."""
    names = [name for name, member in vars(type(resource)).items() if hasattr(member, _MARK)]
    handlers = [getattr(resource, name) for name in names]
    return [Endpoint(getattr(handler, _MARK), handler) for handler in handlers]


def routes_of(endpoints: Iterable[Endpoint[Callable[[Request], Awaitable[Response]]]]) -> list[Route]:
    """Give the routes of endpoints."""
    return [Route(e.operation.path, e.handler, methods=[e.operation.method]) for e in endpoints]


def camel_case(name: str) -> str:
    """Write `find_contact` as `findContact`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
