"""The door of every call: who asks, with which right, how much and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.business import Client, Keys
from garbo.common.errors import Reject, RetryLater
from garbo.common.events.faults import advice_of
from garbo.common.events.jsontext import parse_json
from garbo.common.runtime.door.bodies import NoBody, Pace, read_body
from garbo.common.runtime.door.keys import bearer_of
from garbo.common.runtime.door.seats import Seat, Seats
from garbo.common.runtime.door.typed import flag_of
from garbo.common.runtime.http import later, problem
from garbo.common.runtime.operations import Endpoint, Operation, endpoints_of, routes_of

Handler = Callable[[Request, Client], Awaitable[Response]]
M = TypeVar("M", bound=BaseModel)

MOST_BYTES: Final = 4 * 1024 * 1024
PACE: Final = Pace()
ANSWER_S: Final = 20.0
MOST_AT_ONCE: Final = 16
"""Calls being answered: more would only wait for the same few database connections. Half are one client's."""
MOST_READ_AT_ONCE: Final = 64
"""Calls in hand, those whose bodies still come among them. A quarter are one client's."""
MOST_BYTES_AT_ONCE: Final = 64 * 1024 * 1024
_UNREADABLE: Final = {
    NoBody.TOO_LARGE: (413, "Too large", f"Send {MOST_BYTES} bytes at most."),
    NoBody.TOO_SLOW: (408, "Too slow", f"Send the whole body within {PACE.whole_s:.0f} s."),
    NoBody.GONE: (400, "Gone", "The connection was closed before the body came."),
    NoBody.ENCODED: (415, "Compressed", "Send the body without Content-Encoding."),
}


class CallRefused(Exception):  # noqa: N818 - it names what the caller gets
    """A call that ends here, with this answer."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(title)
        self.answer = problem(status, title, detail, **more)


class Auth:
    """Makes routes out of handlers: a key with the scope, a bounded number at once, an answer in time."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._in_hand = Seats(
            "clients", count=MOST_READ_AT_ONCE, max_bytes=MOST_BYTES_AT_ONCE, holder_ratio=0.25
        )
        self._answered = Seats("answered", count=MOST_AT_ONCE, holder_ratio=0.5)

    def routes(self, resource: object) -> list[Route]:
        """Give the routes of a resource."""
        endpoints = endpoints_of(resource)
        return routes_of([Endpoint(one.operation, self._guarded(one)) for one in endpoints])

    def _guarded(self, endpoint: Endpoint[Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                client = self._client(request, endpoint.operation.scope)
                with _seat(self._in_hand, client) as seat:
                    if endpoint.operation.body is not None:
                        request.state.body = await _read(request, seat)
                    with _seat(self._answered, client):
                        async with asyncio.timeout(endpoint.operation.answer_s or ANSWER_S):
                            return await endpoint.handler(request, client)
            except CallRefused as refusal:
                return refusal.answer
            except Reject as reject:
                return problem(422, "Not storable", "The database cannot hold this value.", reason=reject.why)
            except (RetryLater, TimeoutError):
                return later("Not now", "The database is away or busy: try again in a second.")

        return answer

    def _client(self, request: Request, scope: str | None) -> Client:
        key = bearer_of(request.scope["headers"])
        client = self._keys.client_of_key(key) if key else None
        if client is None:
            raise CallRefused(
                401, "Unknown API key", "Send Authorization: Bearer and a key of the business file."
            )
        if scope not in client.scopes:
            raise CallRefused(403, "Not allowed", f"This key needs the scope {scope}.")
        return client


def shared_errors(operation: Operation) -> Mapping[int, str]:
    """Say how any call may be refused here, by status."""
    if operation.scope is None:
        return {}
    read = {
        400: "The body is not JSON, or came not at all.",
        408: "The body came too slowly.",
        413: "The body is too large.",
        415: "The body is compressed.",
        422: "The body is not what is asked for.",
    }
    return {
        401: "The API key is unknown.",
        403: "The key may not do this.",
        503: "The database is away or busy, or too many calls are in hand: try again in a second.",
    } | (read if operation.body is not None else {})


def read_json(request: Request) -> Any:  # noqa: ANN401 - JSON
    """Give the body, which is here, as a JSON value; raises `CallRefused`."""
    try:
        return parse_json(request.state.body)
    except Reject as reject:
        raise CallRefused(
            400, "Not readable", "Send JSON, nested 64 levels at most.", reason=reject.why
        ) from None


def read_flag(request: Request, name: str) -> bool:
    """Read `true` or `false` of the query, false when absent; raises `CallRefused` for anything else."""
    flag = flag_of(request.query_params.get(name, "false"))
    if flag is None:
        raise CallRefused(422, "Not a flag", f"{name} is true or false.", field=name)
    return flag


def read_as(model: type[M], value: Any, *, title: str) -> M:  # noqa: ANN401 - JSON
    """Read a JSON value as a model; raises `CallRefused` with the field at fault, known or not."""
    try:
        return model.model_validate(value, extra="forbid")
    except ValidationError as error:
        raise CallRefused(422, title, **fault_of(error)) from None


def json_of(answer: BaseModel) -> Response:
    """Answer with a model; what is null is left out."""
    return Response(answer.model_dump_json(exclude_none=True).encode(), media_type="application/json")


def fault_of(error: ValidationError) -> dict[str, str]:
    """Give the first fault as `detail` and `field`; never what was sent."""
    place, advice = advice_of(error)[0]
    return {"detail": advice, "field": ".".join(str(part) for part in place) or "body"}


def _seat(seats: Seats, client: Client) -> Seat:
    seat = seats.take(client.id)
    if seat is None:
        raise _busy()
    return seat


async def _read(request: Request, seat: Seat) -> bytes:
    """Read the whole body; raises `CallRefused`."""
    headers = request.scope["headers"]
    body = await read_body(headers, request.receive, seat=seat, max_bytes=MOST_BYTES, pace=PACE)
    if not isinstance(body, NoBody):
        return body
    raise CallRefused(*_UNREADABLE[body]) if body in _UNREADABLE else _busy()


def _busy() -> CallRefused:
    refusal = CallRefused(503, "Busy", "Too many calls are in hand: try again in a second, fewer at once.")
    refusal.answer.headers["retry-after"] = "1"
    return refusal
