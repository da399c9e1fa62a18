"""Graph API errors in their documented shape.

Source: Meta, Cloud API "Error codes" and Graph API "Handle errors" (read 2026-09). Decide on `code`:
the HTTP status of one code differs between Meta's own pages.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from secrets import token_urlsafe
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class GraphError:
    """One answer that is not a success."""

    code: int
    http_status: int
    title: str
    details: str
    subcode: int | None = None
    message: str | None = None
    """Replaces the usual `(#code) title`."""
    type: str = "OAuthException"
    user: tuple[str, str] | None = None
    """A title and a text for whoever uses the app, where the platform gives them."""
    is_transient: bool = False

    def body(self) -> bytes:
        """Write the JSON body, with a trace id of its own."""
        error: dict[str, Any] = {
            "message": self.message or f"(#{self.code}) {self.title}",
            "type": self.type,
            "code": self.code,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient:
            error["is_transient"] = True
        if self.user is not None:
            error["error_user_title"], error["error_user_msg"] = self.user
        if self.message is None:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = "A" + token_urlsafe(16)
        return orjson.dumps({"error": error})

    def as_status_error(self) -> dict[str, Any]:
        """Write the same error as it stands in `errors[]` of a failed status."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details},
            "href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
        }


class Refusal(Exception):  # noqa: N818 - it says what the platform does
    """The platform answers a call with an error."""

    def __init__(self, error: GraphError) -> None:
        super().__init__(error.title)
        self.error = error


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = files("garbo.simulator.graph").joinpath("error_codes.json").read_bytes()
    table: dict[str, dict[str, Any]] = orjson.loads(text)
    return table


def known_code(code: int) -> bool:
    """Tell whether the table has this code."""
    return str(code) in _table()


def graph_error(code: int, details: str | None = None) -> GraphError:
    """Make the error of a code; `details` replaces the table's. Raises KeyError for an unknown code."""
    row = _table()[str(code)]
    return GraphError(code, int(row["http_status"]), str(row["title"]), details or str(row["details"]))


def unknown_object(object_id: str, verb: str = "post") -> GraphError:
    """Make the answer for a phone number id that does not exist: code 100 with subcode 33."""
    shown = object_id if object_id.isdecimal() and len(object_id) <= 32 else "?"  # noqa: PLR2004 - ids are short
    message = (
        f"Unsupported {verb} request. Object with ID '{shown}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation."
    )
    return GraphError(100, 400, "Invalid parameter", "", 33, message, "GraphMethodException")


def plain_error(
    message: str, *, code: int = 100, subcode: int | None = None, status: int = 400
) -> GraphError:
    """Make an error of the Graph API in general, which says all in its message."""
    return GraphError(code, status, "Invalid parameter", "", subcode, message)


def expired_token(expires_at: float) -> GraphError:
    """Make the answer to a token whose time is over: code 190 with subcode 463."""
    then, now = (
        datetime.fromtimestamp(at, UTC).strftime("%A, %d-%b-%y %H:%M:%S UTC")
        for at in (expires_at, time.time())
    )
    message = f"Error validating access token: Session has expired on {then}. The current time is {now}."
    return plain_error(message, code=190, subcode=463, status=401)


def unscoped_token(*scopes: str) -> GraphError:
    """Make the answer to a token that was given out without the permission."""
    return plain_error(f"(#200) Requires {' or '.join(scopes)} permission", code=200, status=403)


def unknown_field(name: str, node: str) -> GraphError:
    """Make the answer to `?fields=` with something the node does not have."""
    return plain_error(f"(#100) Tried accessing nonexisting field ({name[:60]}) on node type ({node})")
