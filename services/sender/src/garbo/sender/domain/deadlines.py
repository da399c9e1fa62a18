"""Deadlines of a send: whether a grant may still leave, and how long one call may take."""

from datetime import datetime, timedelta
from typing import Final, Literal

from garbo.sender.domain.queued_send import QueuedSend

Refusal = Literal["lease_expired", "window_closing"]

WINDOW_MARGIN: Final = timedelta(seconds=2)
"""With less left of the customer service window the platform may count it as closed on arrival."""
SEND_BUDGET: Final = timedelta(seconds=45)
"""From claim to answer. Nothing is accepted later than this after its attempt's start."""
LEAVE_WITHIN: Final = timedelta(seconds=1)
"""A claimed send that has not left by then is given back: a STOP must not be overtaken by a queue."""
CALL_BUDGET: Final = SEND_BUDGET - LEAVE_WITHIN
"""All of one HTTP call."""


def refusal_reason(send: QueuedSend, *, now: datetime) -> Refusal | None:
    """Say why the grant may not be sent at `now` (the database's clock), or None when it may."""
    if now >= send.valid_until:
        return "lease_expired"
    if send.template is None and send.window_until is not None and not is_within_window(send, now=now):
        return "window_closing"
    return None


def is_within_window(send: QueuedSend, *, now: datetime) -> bool:
    """Whether the platform counts a send that leaves at `now` (the database's clock) as an answer."""
    return send.window_until is not None and send.window_until - now >= WINDOW_MARGIN
