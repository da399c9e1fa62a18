"""What a query string asks for, read strictly."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field
from starlette.datastructures import QueryParams

from garbo.analytics.ports import Filter
from garbo.common.runtime.door.typed import instant_of, uuid_of
from garbo.common.runtime.operations import Parameter

VERDICTS: Final = ("allow", "defer", "deny")
LANES: Final = ("care", "promo")
LONGEST: Final = timedelta(days=31)
FIRST: Final = datetime(2009, 1, 1, tzinfo=UTC)
"""The year WhatsApp began: nothing here is older, and no instant before it needs to be reckoned with."""
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
MOST: Final = 200
_LIMIT: Final = re.compile(r"[0-9]{1,3}")
SINCE: Final = Parameter(
    "since", str, "A span such as 15m, 6h, 7d (31d at most), or an instant in RFC 3339.", default="15m"
)
LANE: Final = Parameter("lane", Literal["care", "promo"], "One lane; absent, both.")
LIMIT: Final = Parameter("limit", Annotated[int, Field(ge=1, le=MOST)], "How many.", default=50)
VERDICT: Final = Parameter("verdict", str, f"One or several of {', '.join(VERDICTS)}, comma separated.")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class BadQueryError(Exception):
    """A parameter nobody can answer; its text says what to give instead."""


def since_of(query: QueryParams) -> datetime | timedelta:
    """Read `since`: a span such as 15m, or an instant in RFC 3339; absent, 15 minutes."""
    text = query.get("since", "15m")
    if found := re.fullmatch(r"([0-9]{1,7})([smhd])", text):
        span = timedelta(seconds=int(found[1]) * _UNITS[found[2]])
        if span <= LONGEST:
            return span
        raise BadQueryError("since reaches back 31d at most")
    instant = instant_of(text.replace(" ", "+"))  # a plus that was not escaped
    if instant is None:
        raise BadQueryError("since is a span such as 15m, 6h, 7d, or an instant such as 2026-06-01T10:00:00Z")
    if not FIRST <= instant < LAST:
        raise BadQueryError(f"since lies between {FIRST.year} and {LAST.year}")
    return instant


def lane_of(query: QueryParams) -> str | None:
    """Read `lane`: care or promo; absent, both."""
    return _one_of("lane", query.get("lane"), LANES)


def filter_of(query: QueryParams, brands: tuple[str, ...] | None) -> Filter:
    """Read `limit` (1 to 200), `verdict` (one or several, comma separated) and `lane`; of these brands."""
    limit = query.get("limit", "50")
    if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= MOST:
        raise BadQueryError(f"limit is a whole number from 1 to {MOST}")
    verdicts = tuple(v for v in query.get("verdict", "").split(",") if v)
    for verdict in verdicts:
        _one_of("verdict", verdict, VERDICTS)
    return Filter(limit=int(limit), verdicts=verdicts, lane=lane_of(query), brands=brands)


def request_id_of(text: str) -> UUID:
    """Read a request id."""
    found = uuid_of(text)
    if found is None:
        raise BadQueryError("A request id is a UUID, such as 0d570c4d-0e4c-4b27-a238-95345811edc5")
    return found


def _one_of(name: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    if not value:
        return None
    if value not in allowed:
        raise BadQueryError(f"{name} is one of {', '.join(allowed)}")
    return value
