"""Log lines a stranger can cause: one a kind and so many seconds, with how many were left out."""

from time import monotonic
from typing import Any, Final

import structlog

EVERY_S: Final = 10.0

log = structlog.get_logger()


class ThrottledLog:
    """Warns at most once in `every_s` seconds of one kind; kinds must be a closed set."""

    def __init__(self, *, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._next_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warning(self, text: str, *, kind: str = "", **facts: Any) -> None:  # noqa: ANN401 - a log line's facts
        """Warn, or count it as left out."""
        now = monotonic()
        if now < self._next_at.get(kind, 0.0):
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        log.warning(text, left_out=self._left_out.pop(kind, 0), **facts)
        self._next_at[kind] = now + self._every_s
