"""Deadlines of a send: whether a grant may still leave, and how long one call may take."""

from datetime import datetime, timedelta
from typing import Final, Literal

from garbo.common.events.grants import SendGranted

Refusal = Literal["lease_expired", "window_closing"]

WINDOW_MARGIN: Final = timedelta(seconds=2)
"""With less left of the customer service window the platform may count it as closed on arrival."""
SEND_BUDGET: Final = timedelta(seconds=45)
"""From claim to answer. Nothing is accepted later than this after its attempt's start."""
LEAVE_WITHIN: Final = timedelta(seconds=1)
"""A claimed send that has not left by then is given back: a STOP must not be overtaken by a queue."""
CALL_BUDGET: Final = SEND_BUDGET - LEAVE_WITHIN
"""All of one HTTP call."""


def refusal_reason(grant: SendGranted, *, now: datetime) -> Refusal | None:
    """Say why the grant may not be sent at `now` (the database's clock), or None when it may."""
    if now >= grant.valid_until:
        return "lease_expired"
    if grant.window_until is not None and grant.window_until - now < WINDOW_MARGIN:
        return "window_closing"
    return None


def settled_at(*, occurred_at: datetime, started_at: datetime) -> datetime:
    """Give the instant an acceptance counts for when a status settled it.

    The platform's second + 1 s, because it gives whole seconds; never outside the attempt's own time.
    """
    latest = started_at + SEND_BUDGET
    return max(started_at, min(occurred_at + timedelta(seconds=1), latest))
