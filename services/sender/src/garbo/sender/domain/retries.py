"""When to try again what is known not to be sent. Short, at the call; the long way is redelivery.

tries      1     2     3     4 ...
waits   0.5 s   1 s   2 s   2 s        x 0.5..1.0 jitter
"""

from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 2.0
PATIENCE_S: Final = 6.0
"""After this long in one batch the others are finished and the batch is given back."""
SLOW_DOWN_S: Final = 1.0
"""A throttled number rests this long, at least, before anybody sends from it again."""


def wait_s(tries: int, *, jitter: float) -> float:
    """Give the wait after the n-th try (from 1), in seconds; `jitter` is in 0..1."""
    full: float = min(LONGEST_S, FIRST_S * 2 ** min(tries - 1, 8))
    return full * (0.5 + jitter / 2)
