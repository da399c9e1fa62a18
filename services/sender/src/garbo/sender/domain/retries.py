"""When to try again. What is known not to be sent: soon. What may have been sent: late, and care only.

tries      1     2     3     4 ...
waits   0.5 s   1 s   2 s   2 s            x 0.5..1.0 jitter
a pair  1 s     4 s   16 s  64 s ...       the platform's own advice: 4^n
"""

from datetime import timedelta
from typing import Final

from garbo.sender.domain.outcomes import NotYet

FIRST_S: Final = 0.5
LONGEST_S: Final = 2.0
SLOW_DOWN_S: Final = 1.0
"""A throttled number rests this long, at least, before anybody sends from it again."""
LONGEST_REST_S: Final = 600.0
"""Whatever the platform says."""
PAIR_BASE: Final = 4
LONGEST_PAIR_S: Final = 1024.0
RESEND_AFTER: Final = timedelta(seconds=90)
"""Statuses come within seconds: what none has settled by then may be sent once more, if it is care. Each next
time waits twice as long."""
MOST_RESENDS: Final = 3


def wait_s(outcome: NotYet, tries: int, *, jitter: float) -> float:
    """Give the wait after the n-th try (from 1), in seconds; `jitter` is in 0..1."""
    if outcome.pair:
        return min(LONGEST_PAIR_S, float(PAIR_BASE ** min(tries - 1, 8)))
    full: float = min(LONGEST_S, FIRST_S * 2 ** min(tries - 1, 8))
    return full * (0.5 + jitter / 2)


def rest_s(outcome: NotYet, *, jitter: float) -> float:
    """Say how long a number rests that was too fast: as the platform says, within bounds."""
    said = outcome.retry_after_s if outcome.retry_after_s is not None else SLOW_DOWN_S
    return min(LONGEST_REST_S, max(SLOW_DOWN_S, said)) + jitter / 2
