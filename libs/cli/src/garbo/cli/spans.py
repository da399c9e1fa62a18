"""Spans and instants as people type them."""

import re
from datetime import UTC, datetime, timedelta

from garbo.common.errors import StartRefused

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"^([1-9][0-9]{0,5})(s|m|h|d|w)$")


def span_of(text: str, option: str) -> timedelta:
    """Read a span such as 45s, 30m, 12h, 7d, 2w; raises StartRefused."""
    match = _SPAN.match(text)
    if match is None:
        raise StartRefused(f"{option}: give a whole number and s, m, h, d or w, such as 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def instant_of(text: str, option: str) -> datetime:
    """Read a span before now, or an instant such as 2026-06-01T10:00Z; raises StartRefused."""
    if _SPAN.match(text):
        return datetime.now(UTC) - span_of(text, option)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise StartRefused(f"{option}: give a span such as 7d, or an instant such as 2026-06-01") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
