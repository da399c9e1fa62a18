"""When a background job runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often to look for work, and how long to rest amid it."""

    interval_s: float
    """Between looks that find nothing."""
    rest_ratio: float = 1.0
    """After a round, rest so many times as long as it took: a mountain of work takes half of a process."""
