"""Every operation of the API in words: what it is for, what it needs, what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from garbo.router.inbound.http.auth import MOST_AT_ONCE, Scope
from garbo.router.inbound.http.decisions import MOST_PREVIEWS
from garbo.router.inbound.http.views.view import View

Schema = Mapping[str, Any]


class Problem(View):
    """An error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    """What is wrong."""
    status: int
    detail: str
    """What to do."""
    field: str | None = None
    """The field of the body at fault."""
    index: int | None = None
    """The element of the array at fault."""
    reason: str | None = None
    errors: tuple[str, ...] | None = None
    """All that is wrong, where it is more than one thing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    scope: Scope
    summary: str
    answer: Schema
    description: str = ""
    answer_words: str = "The answer."
    body: Schema | None = None
    status: int = 200
    media: str = "application/json"
    parameters: Sequence[Schema] = ()
    errors: Mapping[int, str] = field(default_factory=dict)

    def all_errors(self) -> dict[int, str]:
        """Give its own errors and those every operation has, by status."""
        read = {400: "The body is not JSON, or came not at all.", 408: "The body came too slowly."}
        read |= {413: "The body is too large.", 422: "The body is not what is asked for."}
        every = {
            401: "The API key is unknown.",
            403: "The key may not do this.",
            503: f"The database is away or busy, or {MOST_AT_ONCE} calls are in hand: try again in a second.",
        }
        return dict(sorted({**every, **(read if self.body is not None else {}), **self.errors}.items()))


def _ref(model: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model}"}


def _many(model: str, **bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": _ref(model), **bounds}


def _in(place: str, name: str, schema: Schema, words: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": dict(schema),
        "description": words,
    }


UUID_TEXT: Final = {"type": "string", "format": "uuid"}
CONTACT_ID: Final = _in("path", "contact_id", UUID_TEXT, "As decisions and topics name the person.")
NOBODY: Final = {404: "Nobody has this contact id."}

OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        id="previewDecisions",
        method="POST",
        path="/v1/decisions:preview",
        scope="read",
        summary="May I, and when?",
        description=(
            "Says what would be answered now, by the same function that decides. Nothing is written, counted"
            " or sent; each request and each person is answered alone. One request, an array of them, or one"
            f" request whose `to` is a list of people: {MOST_PREVIEWS:,} at most."
        ),
        body={"anyOf": [_ref("PreviewRequest"), _many("PreviewRequest", minItems=1, maxItems=MOST_PREVIEWS)]},
        answer={"anyOf": [_ref("PeoplePreviewView"), _ref("DecisionMade"), _many("DecisionMade")]},
        answer_words="A decision, an array of them in the order asked, or the people in the order of `to`.",
    ),
    Operation(
        id="showDecision",
        method="GET",
        path="/v1/decisions/{request_id}",
        scope="read",
        summary="What was decided about a request, and why",
        parameters=(
            _in("path", "request_id", UUID_TEXT, "Of the key's own client."),
            _in(
                "query", "history", {"type": "boolean", "default": False}, "All records, the first one first."
            ),
        ),
        answer={"anyOf": [_ref("DecisionMade"), _many("DecisionMade")]},
        answer_words="The current decision as it was published; with `history` an array.",
        errors={404: "Nothing is decided under this client and request id yet."},
    ),
    Operation(
        id="findContact",
        method="POST",
        path="/v1/contacts:find",
        scope="read",
        summary="Whose address is it?",
        description="An address travels in the body, so that none stands in a URL or a log.",
        body=_ref("Recipient"),
        answer=_ref("ContactFound"),
        errors={404: "Nobody is known by this address."},
    ),
    Operation(
        id="showContact",
        method="GET",
        path="/v1/contacts/{contact_id}",
        scope="read",
        summary="A person's state: what fills each cap and when it frees, what waits, consents with proof",
        description="As far as the key's brands go. Addresses are shown to scope `admin` only, when asked.",
        parameters=(
            CONTACT_ID,
            _in("query", "addresses", {"type": "boolean", "default": False}, "With phone and user id."),
        ),
        answer=_ref("ContactView"),
        errors=NOBODY,
    ),
    Operation(
        id="exportContact",
        method="GET",
        path="/v1/contacts/{contact_id}:export",
        scope="admin",
        summary="Everything the router holds about a person",
        parameters=(CONTACT_ID,),
        answer={"type": "object", "additionalProperties": {"type": "array", "items": {"type": "object"}}},
        answer_words="Table by table.",
        errors=NOBODY,
    ),
    Operation(
        id="eraseContact",
        method="DELETE",
        path="/v1/contacts/{contact_id}",
        scope="admin",
        summary="Forget a person",
        description=(
            "Addresses, state and waiting requests are gone at once; proofs of consent stay without the"
            " person. Who had opted out stays suppressed, by a keyed hash of the address alone. What is on"
            " the wire stands."
        ),
        parameters=(CONTACT_ID,),
        answer=_ref("ContactErased"),
        errors=NOBODY,
    ),
    Operation(
        id="suppress",
        method="POST",
        path="/v1/suppressions",
        scope="admin",
        summary="Bring a list of people who must not be promoted to",
        description="Idempotent: after a failure the same list again does the rest.",
        body=_ref("SuppressionList"),
        answer=_ref("ListTaken"),
    ),
    Operation(
        id="simulatePolicy",
        method="POST",
        path="/v1/policies:simulate",
        scope="simulate",
        summary="What would another policy have made of the past?",
        description=(
            "Replays stored requests under the policy in force and under the one given, the same way, and"
            " compares. Runs in a process of its own, one at a time; who hangs up ends it. Answers lines of"
            " JSON: `progress` some times, then `report` or `failed`."
        ),
        body=_ref("SimulationAsked"),
        media="application/x-ndjson",
        answer={"anyOf": [_ref("SimulationProgress"), _ref("SimulationReport"), _ref("SimulationFailed")]},
        answer_words="One line of JSON after the other; `kind` says which.",
        errors={
            422: "It is no policy: `errors` has all that is wrong, with lines.",
            429: "Another one runs.",
        },
    ),
)
