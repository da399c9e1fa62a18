"""The admin API: ask what would be decided, and what was."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.business import Business, Client
from garbo.common.errors import Reject, RetryLater
from garbo.common.events.ids import message_id_of
from garbo.common.events.jsontext import parse_json
from garbo.common.events.requests import SendRequested
from garbo.common.runtime.http import problem
from garbo.router.flow.ask import Asked
from garbo.router.flow.requests import DecideRequests
from garbo.router.ports import Store

MOST_PREVIEWS: Final = 1000
MOST_BYTES: Final = 4 * 1024 * 1024
BODY_S: Final = 10.0
ANSWER_S: Final = 20.0


class DecisionsApi:
    """`POST /v1/decisions:preview` and `GET /v1/decisions/{request_id}`; both need scope `read`."""

    def __init__(self, *, business: Business, requests: DecideRequests, store: Store) -> None:
        self._business, self._requests, self._store = business, requests, store

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/v1/decisions:preview", self.preview, methods=["POST"]),
            Route("/v1/decisions/{request_id}", self.show, methods=["GET"]),
        ]

    async def preview(self, request: Request) -> Response:
        """Say what each request would be answered now, alone. Nothing is written, counted or sent."""
        client = self._reader(request)
        if isinstance(client, Response):
            return client
        body = await _body(request)
        if isinstance(body, Response):
            return body
        items: list[Any] = body if isinstance(body, list) else [body]
        if not 0 < len(items) <= MOST_PREVIEWS:
            return problem(422, "Wrong number of requests", f"Ask for 1 to {MOST_PREVIEWS} at a time.")
        asked: list[Asked] = []
        for place, item in enumerate(items):
            read = _read(item, client=client, place=place)
            if isinstance(read, Response):
                return read
            asked.append(Asked(read))
        return await self._answer(asked, single=not isinstance(body, list))

    async def show(self, request: Request) -> Response:
        """Give the current decision about a request, as it was published."""
        client = self._reader(request)
        if isinstance(client, Response):
            return client
        try:
            request_id = UUID(request.path_params["request_id"])
        except ValueError:
            return problem(404, "No such decision", "The request id is a UUID.")
        if request.query_params.get("client", client.id) != client.id:
            return problem(403, "Not your client", "The key belongs to another client: leave `client` out.")
        try:
            async with asyncio.timeout(ANSWER_S):
                stored = await self._store.decision(message_id_of(client.id, request_id))
        except (RetryLater, TimeoutError):
            return _unavailable()
        if stored is None:
            return problem(
                404, "No such decision", "Nothing is decided under this client and request id yet."
            )
        return Response(stored.records[-1], media_type="application/json")

    async def _answer(self, asked: list[Asked], *, single: bool) -> Response:
        try:
            async with asyncio.timeout(ANSWER_S):
                previews = await self._requests.preview(asked)
        except (RetryLater, TimeoutError):
            return _unavailable()
        content = previews[0] if single else b"[" + b",".join(previews) + b"]"
        return Response(content, media_type="application/json")

    def _reader(self, request: Request) -> Client | Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        client = self._business.client_of_key(key.strip()) if scheme.lower() == "bearer" else None
        if client is None:
            return problem(
                401, "Unknown API key", "Send Authorization: Bearer and a key of the business file."
            )
        if "read" not in client.scopes:
            return problem(403, "Not allowed", "This key needs the scope read.")
        return client


async def _body(request: Request) -> Any:  # noqa: ANN401 - JSON is any value
    """Read the body: a JSON value, or the problem it is."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MOST_BYTES:
                    return problem(413, "Too large", f"Send {MOST_BYTES} bytes at most.")
                chunks.append(chunk)
        return parse_json(b"".join(chunks))
    except TimeoutError:
        return problem(408, "Too slow", f"Send the whole body within {BODY_S:.0f} s.")
    except ClientDisconnect:
        return problem(400, "Gone", "The connection was closed before the body came.")
    except Reject as reject:
        return problem(400, "Not readable", "Send JSON, nested 64 levels at most.", reason=reject.why)


def _read(item: Any, *, client: Client, place: int) -> SendRequested | Response:  # noqa: ANN401 - JSON
    """Read one request; ids and times that only matter for sending may be missing."""
    if not isinstance(item, dict):
        return problem(422, "Not a request", "Each element is a JSON object.", index=place)
    if item.get("client", client.id) != client.id:
        return problem(403, "Not your client", "The key belongs to another client.", index=place)
    now = datetime.now(UTC)
    filled = {"request_id": str(uuid4()), "requested_at": now.isoformat(), **item, "client": client.id}
    try:
        return SendRequested.model_validate_json(orjson.dumps(filled))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        return problem(422, "Not a request", first["msg"], index=place, field=field)


def _unavailable() -> Response:
    return problem(503, "Not now", "The database does not answer: try again in a second.")
