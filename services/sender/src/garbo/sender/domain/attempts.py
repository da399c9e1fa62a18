"""The life of one attempt, that is of one HTTP call."""

from typing import Final, Literal

AttemptState = Literal["dispatching", "accepted", "rejected", "unknown"]
"""dispatching: committed before the first byte. rejected: known not to be sent."""
Happening = Literal["said_yes", "said_no", "said_nothing", "abandoned", "status_yes", "status_no"]
"""said_*: the HTTP answer. abandoned: its process is gone. status_*: a webhook carried its id."""

LIVE: Final[frozenset[AttemptState]] = frozenset({"dispatching", "accepted", "unknown"})
"""A message has at most one attempt in these; the database forbids a second."""
OPEN: Final[frozenset[AttemptState]] = frozenset({"dispatching", "unknown"})
"""States that something may still change."""

_AFTER: Final[dict[Happening, AttemptState]] = {
    "said_yes": "accepted",
    "status_yes": "accepted",
    "said_no": "rejected",
    "status_no": "rejected",
    "said_nothing": "unknown",
    "abandoned": "unknown",
}


def advance(state: AttemptState, happening: Happening) -> AttemptState | None:
    """Give the state that follows, or None when nothing changes.

    accepted and rejected are final: whichever of answer and status comes first decides, the other is late.
    """
    after = _AFTER[happening]
    return after if state in OPEN and after != state else None
