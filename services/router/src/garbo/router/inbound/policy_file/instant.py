"""Instants as a person writes them into a test."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from garbo.common.events.zones import zone_rules
from garbo.router.domain.instants import to_datetime, to_us
from garbo.router.inbound.policy_file.fields import SPAN, Span, wrong

_AROUND: Final = re.compile(r"^(?:in (?P<ahead>\S+)|(?P<behind>\S+) ago)$")
_YEARS: Final = range(1971, 2200)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """How instants of one test are read: against its `at`, by its person's wall clock."""

    zone: str
    now_us: int = 0

    def us(self, instant: datetime | timedelta) -> int:
        """Give an instant in microseconds since 1970."""
        if isinstance(instant, timedelta):
            return self.now_us + instant // _MICROSECOND
        return to_us(instant if instant.tzinfo else instant.replace(tzinfo=zone_rules(self.zone)))

    def us_or_none(self, instant: datetime | timedelta | None) -> int | None:
        """Give an instant that may be missing."""
        return None if instant is None else self.us(instant)

    def shown(self, at_us: int | None) -> str:
        """Write an instant by the person's wall clock."""
        return "none" if at_us is None else to_datetime(at_us).astimezone(zone_rules(self.zone)).isoformat()


def _read(text: object) -> datetime | timedelta:
    """Read `2026-06-05T10:00:00Z`, a wall time `2026-06-05 12:00`, `3d ago` or `in 2h`."""
    read: datetime | timedelta | None = None
    if isinstance(text, str):
        around = _AROUND.match(text)
        read = _around(around) if around else _moment(text)
    if read is None:
        raise wrong("must be an instant: 2026-06-05T10:00:00Z, 2026-06-05 12:00, 3d ago, in 2h")
    return read


def _around(match: re.Match[str]) -> timedelta | None:
    span = match["ahead"] or match["behind"]
    if not re.fullmatch(SPAN, span):
        return None
    from_now = timedelta(microseconds=Span(span).us)
    return from_now if match["ahead"] else -from_now


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.year in _YEARS else None


Instant: TypeAlias = Annotated[
    datetime | timedelta,
    PlainValidator(_read),
    WithJsonSchema(
        {
            "type": "string",
            "description": "2026-06-05T10:00:00Z; by the person's clock 2026-06-05 12:00; 3d ago; in 2h.",
        }
    ),
]
"""A moment, or how far it is from the test's own."""
