"""What a decision was made from, kept beside it: no address, no content, and nothing an address hides in."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import orjson

from garbo.common.events.ids import message_id_of
from garbo.router.domain.request import Body, Numbers, Request
from garbo.router.domain.state import RecipientState
from garbo.router.flow.state_json import Json, Shape, given_json, read_given

CITED: Final = "cited"
"""In place of the wamid a request answers: a wamid holds the number of the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The request in the decision's words, and what was known of the person, but for the sends."""

    request: Request
    given: RecipientState


_ELSEWHERE: Final = frozenset(
    {"message_id", "contact", "body", "fallback", "numbers", "reply_to", "budget_left"}
)
_REQUEST: Final = Shape(
    Request,
    {
        "request_id": UUID,
        "tags": tuple,
        "roles": frozenset,
        "country_zones": tuple,
        "override": tuple,
    },
    but=_ELSEWHERE,
)
_BODY: Final = Shape(Body)
_NUMBERS: Final = Shape(Numbers, {"all": tuple})


def facts_bytes(request: Request, state: RecipientState) -> bytes:
    """Write down what a request is decided from."""
    asked = _REQUEST.write(request)
    asked["body"] = _BODY.write(request.body)
    asked["numbers"] = _NUMBERS.write(request.numbers)
    if request.fallback is not None:
        asked["fallback"] = _BODY.write(request.fallback)
    given = given_json(state)
    cited_us = dict(given.pop("inbound", ())).get(request.reply_to)
    if cited_us is not None:
        given["inbound"] = [(CITED, cited_us)]
    for part in ("stops", "questions"):
        if part in given:
            given[part] = {key: said | {"by": ""} for key, said in given[part].items()}
    return orjson.dumps({"request": asked, "given": given}, default=_plain)


def read_facts(content: bytes) -> Facts:
    """Read what a request was decided from. A request that answered a message answers `CITED`."""
    parts = orjson.loads(content)
    given = read_given(0, parts["given"])
    return Facts(request=_read_request(parts["request"], cited=bool(given.inbound)), given=given)


def _read_request(asked: Json, *, cited: bool) -> Request:
    request: Request = _REQUEST.read(
        asked,
        message_id=message_id_of(asked["client"], UUID(asked["request_id"])),
        body=_BODY.read(asked["body"]),
        fallback=_BODY.read(asked["fallback"]) if "fallback" in asked else None,
        numbers=_NUMBERS.read(asked["numbers"]),
    )
    return replace(request, reply_to=CITED) if cited else request


def _plain(value: Any) -> Any:  # noqa: ANN401 - what orjson does not know
    return sorted(value) if isinstance(value, frozenset) else str(value)
