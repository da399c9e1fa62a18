"""How long a message may be somebody else's before nobody is believed to have it."""

from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

ELSEWHERE_S: Final = 60.0
"""A call lasts 45 s, and an attempt of a process that is gone is settled when its grant comes again: what is
still on its way elsewhere after this is on its way nowhere."""
FORGET_S: Final = 600.0


class Elsewhere:
    """Since when messages that come again were attempted elsewhere. Seconds of a monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since: dict[UUID, float] = {}

    def too_long(self, messages: Iterable[UUID]) -> bool:
        """Note that these are attempted elsewhere; tell whether one has been for `ELSEWHERE_S`."""
        now = self._now()
        self._since = {message: at for message, at in self._since.items() if now - at < FORGET_S}
        oldest = min((self._since.setdefault(message, now) for message in messages), default=now)
        return now - oldest >= ELSEWHERE_S
