"""`/v1/decisions`: what would be decided, and what was."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from garbo.common.business import Client
from garbo.common.events.addresses import Recipient
from garbo.common.events.decisions import DecisionMade
from garbo.common.events.ids import message_id_of
from garbo.common.events.requests import SendRequested
from garbo.common.events.wire import encode
from garbo.common.runtime.auth import CallRefused, fault_of, json_of, read_flag, read_json
from garbo.common.runtime.door.typed import uuid_of
from garbo.common.runtime.operations import Answer, Parameter, operation
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.flow.request import ReceivedRequest
from garbo.router.inbound.http.views.preview import PeoplePreviewView, people_preview_view
from garbo.router.ports.store import Store

MOST_PREVIEWS: Final = 1000
FILLED: Final = ("request_id", "client", "requested_at")
"""Of a request only its sending needs these; a preview may leave them out."""
PREVIEWS_AT_ONCE: Final = 2
"""They take turns with deciding, on the same thread: more of them would only make everybody slower."""


def _as_asked(schema: dict[str, Any]) -> None:
    """Describe a request to one person or many, without what only sending needs."""
    person = schema["properties"]["to"]
    people = {"type": "array", "items": person, "minItems": 1, "maxItems": MOST_PREVIEWS}
    schema["properties"]["to"] = {"anyOf": [person, people]}
    schema["required"] = [name for name in schema["required"] if name not in FILLED]


class PreviewRequest(SendRequested):
    """A request as `garbo.send.requested.v1` has it; `to` may be a list of people."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_as_asked)


class Decisions:
    """`POST /v1/decisions:preview` and `GET /v1/decisions/{request_id}`; both need scope `read`."""

    def __init__(self, *, previews: PreviewRequests, store: Store) -> None:
        self._previews, self._store = previews, store
        self._turns = asyncio.Semaphore(PREVIEWS_AT_ONCE)

    @operation(
        "POST",
        "/v1/decisions:preview",
        scope="read",
        body=PreviewRequest | Annotated[list[PreviewRequest], Field(min_length=1, max_length=MOST_PREVIEWS)],
        answers={
            200: Answer(
                PeoplePreviewView | DecisionMade | list[DecisionMade],
                "A decision, an array of them in the order asked, or the people in the order of `to`.",
            )
        },
    )
    async def preview_decisions(self, request: Request, client: Client) -> Response:
        """Say whether messages may go, and when.

        Says what would be answered now, by the same function that decides. Nothing is written, counted or
        sent; each request and each person is answered alone. One request, an array of them, or one request
        whose `to` is a list of people: 1,000 at most.
        """
        body = read_json(request)
        if isinstance(body, dict) and isinstance(body.get("to"), list):
            return await self._preview_people(body, client)
        items: list[Any] = body if isinstance(body, list) else [body]
        _refuse_number_of(items, "requests")
        asked = [ReceivedRequest(_read(item, client=client, place=place)) for place, item in enumerate(items)]
        async with self._turns:
            previews = [encode(record) for record in await self._previews.preview(asked)]
        return _json(b"[" + b",".join(previews) + b"]" if isinstance(body, list) else previews[0])

    async def _preview_people(self, body: dict[str, Any], client: Client) -> Response:
        _refuse_number_of(body["to"], "people")
        people = [_read_person(item, place=place) for place, item in enumerate(body["to"])]
        event = _read({**body, "to": body["to"][0]}, client=client, place=None)
        async with self._turns:
            preview = await self._previews.preview_people(event, people)
            answer = await people_preview_view(preview)
        return json_of(answer)

    @operation(
        "GET",
        "/v1/decisions/{request_id}",
        scope="read",
        parameters=(
            Parameter("request_id", UUID, "Of the key's own client.", "path"),
            Parameter("history", bool, "All records, the first one first.", default=False),
        ),
        answers={
            200: Answer(
                DecisionMade | list[DecisionMade],
                "The current decision as it was published; with `history` an array.",
            )
        },
        errors={
            404: "Nothing is decided under this client and request id yet.",
            422: "`history` is neither true nor false.",
        },
    )
    async def show_decision(self, request: Request, client: Client) -> Response:
        """Show what was decided about a request, and why."""
        request_id = uuid_of(request.path_params["request_id"])
        if request_id is None:
            raise CallRefused(404, "No such decision", "The request id is a UUID.")
        if request.query_params.get("client", client.id) != client.id:
            raise CallRefused(
                403, "Not your client", "The key belongs to another client: leave `client` out."
            )
        whole = read_flag(request, "history")
        stored = await self._store.decision(message_id_of(client.id, request_id))
        if stored is None:
            raise CallRefused(
                404, "No such decision", "Nothing is decided under this client and request id yet."
            )
        content = b"[" + b",".join(stored.records) + b"]" if whole else stored.records[-1]
        return _json(content)


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


def _refuse_number_of(items: list[Any], what: str) -> None:
    if not 0 < len(items) <= MOST_PREVIEWS:
        raise CallRefused(422, f"Wrong number of {what}", f"Ask for 1 to {MOST_PREVIEWS} at a time.")


def _read_person(item: Any, *, place: int) -> Recipient:  # noqa: ANN401 - JSON
    try:
        return Recipient.model_validate(item, extra="forbid")
    except ValidationError as error:
        raise CallRefused(422, "Not a person", index=place, **fault_of(error)) from None


def _read(item: Any, *, client: Client, place: int | None) -> SendRequested:  # noqa: ANN401 - JSON
    """Read one request; ids and times that only matter for sending may be missing."""
    index: dict[str, Any] = {} if place is None else {"index": place}
    if not isinstance(item, dict):
        raise CallRefused(422, "Not a request", "Each element is a JSON object.", **index)
    filled = {"request_id": uuid4(), "client": client.id, "requested_at": datetime.now(UTC)}
    filled |= {name: value for name, value in item.items() if value is not None or name not in filled}
    if filled["client"] != client.id:
        raise CallRefused(403, "Not your client", "The key belongs to another client.", **index)
    try:
        return SendRequested.model_validate(filled, extra="forbid")
    except ValidationError as error:
        raise CallRefused(422, "Not a request", **index, **fault_of(error)) from None
