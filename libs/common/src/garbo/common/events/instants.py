"""Instants as others write them: those of our contract, and the platform's in all the ways that are seen.

Source of the latter: Meta, webhooks overview (read 2026-11): a text of seconds in messages and statuses, a
whole number in preferences and entries. Third parties saw milliseconds; clients that write numbers as
JavaScript or Java do give fractions and exponents.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIGURE: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE]\+?[0-9]{1,2})?", re.ASCII)
_FIRST_FIGURE_OF: Final = tuple((Decimal(10) ** (9 + digits), digits) for digits in (9, 6, 3))
"""Larger figures are nano-, micro- or milliseconds: as the next larger unit they lie in the year 33658."""


def in_calendar(at: datetime) -> datetime:
    """Give the first or last instant there is for one that UTC cannot hold.

    0001-01-01T00:00+14:00 is well written and lies in the year 0: PostgreSQL keeps it, and asyncpg raises
    at each row that has it.
    """
    try:
        at.astimezone(UTC)
    except OverflowError:
        return _FIRST if at.year == 1 else _LAST
    return at


Instant = Annotated[AwareDatetime, AfterValidator(in_calendar)]
"""An instant of our contract: aware, and one that every database and every zone can hold."""


def platform_instant(value: object) -> datetime | None:
    """Read an instant of the platform (aware UTC, whole microseconds); None when it is none.

    A number or a text: seconds, milli-, micro- or nanoseconds since 1970, with or without a fraction; or
    ISO 8601, which is UTC where it names no offset.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        text = value.strip() if isinstance(value, str) else str(value)
        return _of_figure(Decimal(text)) if _FIGURE.fullmatch(text) else _of_iso(text)
    except (ValueError, OverflowError):
        return None


def _of_figure(figure: Decimal) -> datetime:
    digits = next((digits for first, digits in _FIRST_FIGURE_OF if figure >= first), 0)
    return _EPOCH + timedelta(microseconds=int(figure.scaleb(6 - digits)))


def _of_iso(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
