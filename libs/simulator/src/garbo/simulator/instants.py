"""The one clock of what is measured: the wall's instant at the start, and a clock that never steps since."""

import time
from typing import Final

_BEGAN_NS: Final = time.time_ns() - time.monotonic_ns()


def now_ns() -> int:
    """Give the instant in nanoseconds since the epoch; of two calls the later never gives less."""
    return _BEGAN_NS + time.monotonic_ns()
