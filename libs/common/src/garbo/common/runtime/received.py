"""A webhook's body as it came: how it stands in Kafka, so that it can be read again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from garbo.common.errors import Reject
from garbo.common.runtime.deadletter import FAILED_AT

WHATSAPP_DOOR: Final = "http:/webhooks/whatsapp"
"""Where a body came in: it stands where a record of a topic names its topic."""
RECEIVED_AT: Final = "garbo-received-at"
"""The header that says when a body came in, ISO 8601."""


def received_at(headers: Mapping[str, bytes]) -> datetime:
    """Tell when a body came in: by its own header, else when it was refused.

    Raises `Reject("invalid:garbo-received-at")` where neither says it.
    """
    said = headers.get(RECEIVED_AT) or headers.get(FAILED_AT) or b""
    try:
        at = datetime.fromisoformat(said.decode("ascii"))
    except ValueError:
        raise Reject(f"invalid:{RECEIVED_AT}") from None
    if at.tzinfo is None:
        raise Reject(f"invalid:{RECEIVED_AT}")
    return at
