"""Graph API errors in their documented shape.

Source: Meta, Cloud API "Error codes" and Graph API "Handle errors" (read 2026-09). Decide on `code`:
the HTTP status of one code differs between Meta's own pages.
"""

from dataclasses import dataclass
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

    def body(self) -> bytes:
        """Write the JSON body, with a trace id of its own."""
        error: dict[str, Any] = {
            "message": self.message or f"(#{self.code}) {self.title}",
            "type": self.type,
            "code": self.code,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
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
