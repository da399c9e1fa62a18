"""A log line a stranger can cause is written once in a while, with how many were left out."""

from time import monotonic
from typing import Any

import structlog

log = structlog.get_logger()


class ThrottledLog:
    """Warns at most once in `every_s` seconds."""

    def __init__(self, *, every_s: float) -> None:
        self._every_s = every_s
        self._next_at = 0.0
        self._left_out = 0

    def warning(self, text: str, **facts: Any) -> None:  # noqa: ANN401 - a log line's facts
        """Warn, or count it as left out."""
        now = monotonic()
        if now < self._next_at:
            self._left_out += 1
            return
        log.warning(text, left_out=self._left_out, **facts)
        self._next_at, self._left_out = now + self._every_s, 0
