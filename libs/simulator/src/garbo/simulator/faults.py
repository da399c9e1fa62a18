"""What goes wrong on purpose: with an answer, before or after acceptance, or with the statuses that follow.

An answer can be wrong in each way before anything was accepted, or (`accept_then_...`) after it was. The
caller sees the same; only the ledger and the statuses tell.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from garbo.simulator.assets.asset import Asset
from garbo.simulator.graph.errors import known_code

Kind = Literal[
    "error",
    "gateway",
    "hang",
    "drop",
    "reset",
    "half_body",
    "html",
    "empty",
    "truncated",
    "no_messages",
    "accept_then_error",
    "accept_then_gateway",
    "accept_then_hang",
    "accept_then_drop",
    "accept_then_reset",
    "accept_then_half_body",
    "accept_then_html",
    "accept_then_empty",
    "accept_then_truncated",
    "accept_then_no_messages",
    "failed_status",
    "statuses_first",
    "statuses_twice",
    "statuses_late",
    "statuses_never",
]
"""error: the code's own answer. gateway: 502 with HTML, as of a proxy. hang: nothing for `hang_ms`, then the
end. drop: the connection ends. reset: it ends with a reset, `reset` alone before the body is read. half_body:
half of the answer, then the end. html, empty, truncated, no_messages: HTTP 200 with what is no answer.
failed_status: accepted, and failed with `code`. statuses_first: told before the answer leaves. statuses_late:
told `hang_ms` late."""
ACCEPTED: Final = "accept_then_"


class Fault(Asset):
    """Something that goes wrong: for the `next` so many requests, or for a ratio of them."""

    kind: Kind
    on: Literal["messages", "nodes", "media"] = "messages"
    """Sends, or what is read and set, or files going up and down."""
    code: int = 131000
    """The error's code, where the kind has one."""
    next: Annotated[int, Field(ge=1)] | None = None
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    number_id: str | None = None
    """Only requests of this number."""
    hang_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 60_000

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.next is None) == (self.ratio is None):
            raise ValueError("give exactly one of next and ratio")
        if not known_code(self.code):
            raise ValueError("code is not in the table of error codes")
        if self.on != "messages" and self.kind.startswith(("failed_", "statuses_")):
            raise ValueError("only what sends has statuses: leave out on")
        return self

    @property
    def accepts(self) -> bool:
        """Tell whether the request is done all the same."""
        return self.kind.startswith((ACCEPTED, "failed_", "statuses_"))

    @property
    def way(self) -> str:
        """How the answer goes wrong, whether or not anything was accepted."""
        return self.kind.removeprefix(ACCEPTED)
