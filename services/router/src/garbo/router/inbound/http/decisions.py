"""`/v1/decisions`: what would be decided, and what was."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.business import Client
from garbo.common.events.ids import message_id_of
from garbo.common.events.requests import SendRequested
from garbo.router.flow.ask import Asked
from garbo.router.flow.requests import DecideRequests
from garbo.router.inbound.http.door import Door, Refusal, fault_of, read_json
from garbo.router.ports import Store

MOST_PREVIEWS: Final = 1000


class Decisions:
    """`POST /v1/decisions:preview` and `GET /v1/decisions/{request_id}`; both need scope `read`."""

    def __init__(self, *, requests: DecideRequests, store: Store) -> None:
        self._requests, self._store = requests, store

    def routes(self, door: Door) -> list[Route]:
        """Give the routes."""
        return [
            door.route("POST", "/v1/decisions:preview", "read", self.preview),
            door.route("GET", "/v1/decisions/{request_id}", "read", self.show),
        ]

    async def preview(self, request: Request, client: Client) -> Response:
        """Say what each request would be answered now, alone. Nothing is written, counted or sent."""
        body = await read_json(request)
        items: list[Any] = body if isinstance(body, list) else [body]
        if not 0 < len(items) <= MOST_PREVIEWS:
            raise Refusal(422, "Wrong number of requests", f"Ask for 1 to {MOST_PREVIEWS} at a time.")
        asked = [Asked(_read(item, client=client, place=place)) for place, item in enumerate(items)]
        previews = await self._requests.preview(asked)
        content = b"[" + b",".join(previews) + b"]" if isinstance(body, list) else previews[0]
        return Response(content, media_type="application/json")

    async def show(self, request: Request, client: Client) -> Response:
        """Give the current decision about a request as it was published; with `history`, all of them."""
        try:
            request_id = UUID(request.path_params["request_id"])
        except ValueError:
            raise Refusal(404, "No such decision", "The request id is a UUID.") from None
        if request.query_params.get("client", client.id) != client.id:
            raise Refusal(403, "Not your client", "The key belongs to another client: leave `client` out.")
        stored = await self._store.decision(message_id_of(client.id, request_id))
        if stored is None:
            raise Refusal(404, "No such decision", "Nothing is decided under this client and request id yet.")
        whole = request.query_params.get("history", "false").lower() == "true"
        content = b"[" + b",".join(stored.records) + b"]" if whole else stored.records[-1]
        return Response(content, media_type="application/json")


def _read(item: Any, *, client: Client, place: int) -> SendRequested:  # noqa: ANN401 - JSON
    """Read one request; ids and times that only matter for sending may be missing."""
    if not isinstance(item, dict):
        raise Refusal(422, "Not a request", "Each element is a JSON object.", index=place)
    if item.get("client", client.id) != client.id:
        raise Refusal(403, "Not your client", "The key belongs to another client.", index=place)
    now = datetime.now(UTC)
    filled = {"request_id": str(uuid4()), "requested_at": now.isoformat(), **item, "client": client.id}
    try:
        return SendRequested.model_validate_json(orjson.dumps(filled))
    except ValidationError as error:
        raise Refusal(422, "Not a request", index=place, **fault_of(error)) from None
