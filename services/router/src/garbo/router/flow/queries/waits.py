"""How long messages waited before they were sent, counted to ten seconds, in bounded memory."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from garbo.router.domain.instants import SECOND_US

STEP_US: Final = 10 * SECOND_US
"""Waits are counted to this; 90 days of it are less than a million counters."""


class Waits:
    """The waits of one simulated policy."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, waited_us: int) -> None:
        """Count one message that was sent after a wait."""
        self._counts[waited_us // STEP_US] += 1

    @property
    def messages(self) -> int:
        """How many waited."""
        return self._counts.total()

    @property
    def longest_s(self) -> int | None:
        """The longest wait; None when nothing waited."""
        return _seconds(max(self._counts)) if self._counts else None

    def quantile_s(self, share: float) -> int | None:
        """Give the wait that `share` of the messages did not exceed; None when nothing waited."""
        rank, seen = self.messages * share, 0
        for waited, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                return _seconds(waited)
        return None

    def up_to(self, steps_us: Sequence[int]) -> list[int]:
        """Count the waits up to each step and longer than the one before; last, those longer than all."""
        counts = [0] * (len(steps_us) + 1)
        for waited, count in self._counts.items():
            counts[sum(waited * STEP_US > step_us for step_us in steps_us)] += count
        return counts


def _seconds(waited: int) -> int:
    return waited * STEP_US // SECOND_US
