"""Instants as a person writes them into a test."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from garbo.router.domain.instants import to_datetime, to_us
from garbo.router.inbound.policy_file.fields import Fields, span_of

_AROUND: Final = re.compile(r"^(?:in (?P<ahead>\S+)|(?P<behind>\S+) ago)$")
_YEARS: Final = range(1971, 2200)


@dataclass(frozen=True, slots=True)
class Clock:
    """How instants of one test are read: against its `at`, by its person's wall clock."""

    zone: str
    now_us: int = 0

    def instant_us(self, fields: Fields, name: str) -> int:
        """Take `2026-06-05T10:00:00Z`, a wall time `2026-06-05 12:00`, `3d ago` or `in 2h`."""
        text = fields.text(name)
        around = _AROUND.match(text)
        if around is not None:
            span_us = span_of(around["ahead"] or around["behind"])
            if span_us is not None:
                return self.now_us + (span_us if around["ahead"] else -span_us)
        else:
            at = _moment(text)
            if at is not None and at.year in _YEARS:
                return to_us(at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.zone)))
        raise fields.fault(name, "must be an instant: 2026-06-05T10:00:00Z, 2026-06-05 12:00, 3d ago, in 2h")

    def instant_or_none(self, fields: Fields, name: str) -> int | None:
        """Take an instant that may be missing."""
        return self.instant_us(fields, name) if fields.has(name) else None

    def shown(self, at_us: int | None) -> str:
        """Write an instant by the person's wall clock."""
        return "none" if at_us is None else to_datetime(at_us).astimezone(ZoneInfo(self.zone)).isoformat()


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
