"""What is declared of a handler becomes its route and its description."""

from typing import Annotated
from uuid import UUID

import httpx
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from garbo.common.contracts.openapi import openapi_yaml
from garbo.common.runtime.health import health_routes
from garbo.common.runtime.http import JSONBytes, problem
from garbo.common.runtime.openapi import Api, openapi_routes
from garbo.common.runtime.operations import (
    Answer,
    Operation,
    Parameter,
    endpoints_of,
    operation,
    operations_of,
    routes_of,
)
from libs.common.tests.support.openapi import body_faults, described, faults, served


class Room(BaseModel):
    """A room of a hotel."""

    number: int
    note: str | None = None


class Rooms:
    """A resource."""

    @operation(
        "GET",
        "/v1/rooms/{room_id}",
        parameters=(
            Parameter("room_id", UUID, "Which.", "path"),
            Parameter("short", bool, "?", default=False),
        ),
        answers={200: Answer(Room)},
        errors={404: "No such room."},
    )
    async def show_room(self, request: Request) -> Response:
        """Show a room.

        Notes are shown to
        the staff alone.
        """
        known = request.path_params["room_id"] == str(UUID(int=1))
        return JSONBytes({"number": 7}) if known else problem(404, "No such room", "Ask the desk.")

    @operation(
        "POST",
        "/v1/rooms",
        scope="admin",
        body=Annotated[list[Room], Field(min_length=1)],
        answers={204: Answer(words="They are kept.")},
        answer_s=60,
    )
    async def keep_rooms(self, _: Request) -> Response:
        """Keep rooms."""
        return Response(status_code=204)


def _shared(one: Operation) -> dict[int, str]:
    return {403: "Not yours."} if one.scope else {}


API = Api("Hotel", "Rooms.", 8099, operations_of(Rooms), shared_errors=_shared)
PATHS = API.document["paths"]


def client() -> httpx.AsyncClient:
    routes = [*routes_of(endpoints_of(Rooms())), *health_routes(alive={}, ready={}), *openapi_routes(API)]
    assert served(routes) == described(API)
    return httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes)), base_url="http://hotel")


def test_a_handler_is_described_by_its_name_and_its_docstring() -> None:
    shown = PATHS["/v1/rooms/{room_id}"]["get"]
    assert (shown["operationId"], shown["summary"]) == ("showRoom", "Show a room")
    assert shown["description"] == "Notes are shown to the staff alone."
    assert [(p["name"], p["in"], p["required"]) for p in shown["parameters"]] == [
        ("room_id", "path", True),
        ("short", "query", False),
    ]
    assert shown["parameters"][1]["schema"] == {"type": "boolean", "default": False}


def test_a_scope_asks_for_a_key_and_brings_the_shared_errors() -> None:
    kept, shown = PATHS["/v1/rooms"]["post"], PATHS["/v1/rooms/{room_id}"]["get"]
    assert kept["security"] == [{"key": ["admin"]}]
    assert kept["description"] == "Scope: `admin`."
    assert kept["responses"].keys() == {"204", "403"}
    assert "security" not in shown
    assert shown["responses"].keys() == {"200", "404"}


def test_types_become_schemas_that_are_shared() -> None:
    room = {"$ref": "#/components/schemas/Room"}
    assert PATHS["/v1/rooms/{room_id}"]["get"]["responses"]["200"]["content"]["application/json"] == {
        "schema": room
    }
    assert body_faults(API, "POST", "/v1/rooms", [{"number": 1}]) == []
    assert body_faults(API, "POST", "/v1/rooms", [])
    assert API.document["components"]["schemas"]["Room"]["description"] == "A room of a hotel."


async def test_answers_are_held_to_the_description() -> None:
    async with client() as http:
        shown = await http.get(f"/v1/rooms/{UUID(int=1)}")
        none = await http.get(f"/v1/rooms/{UUID(int=2)}")
        kept = await http.post("/v1/rooms")
        document = await http.get("/openapi.json")
    assert [fault for answer in (shown, none, kept, document) for fault in faults(API, answer)] == []
    assert document.json() == API.document
    for status, content in ((418, b"{}"), (200, b'{"number": "seven"}')):
        wrong = httpx.Response(status, content=content, headers={"content-type": "application/json"})
        wrong.request = shown.request
        assert faults(API, wrong), "an answer that is not described is seen"


def test_what_is_committed_has_no_anchors() -> None:
    assert "&id" not in openapi_yaml(API)
