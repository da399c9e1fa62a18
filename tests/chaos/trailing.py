"""The invariant itself: at no instant stand more than so many accepted sends in the window behind it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Excess:
    """One window that holds too many."""

    person: str
    ends_at_us: int
    count: int


def over_cap(sends: Iterable[tuple[str, int]], *, limit: int, span_us: int) -> list[Excess]:
    """Sweep every person's sends (person, instant) with two pointers; give each window over the limit.

    A window is the half-open `(end - span, end]`; only ends at a send can be the fullest.
    """
    by_person: defaultdict[str, list[int]] = defaultdict(list)
    for person, at_us in sends:
        by_person[person].append(at_us)
    return [
        Excess(person, end_us, count)
        for person, instants in by_person.items()
        for end_us, count in trailing_counts(sorted(instants), span_us=span_us)
        if count > limit
    ]


def trailing_counts(instants: Sequence[int], *, span_us: int) -> list[tuple[int, int]]:
    """Give for each of the sorted instants how many stand in the window that ends with it."""
    counts: list[tuple[int, int]] = []
    first = 0
    for last, end_us in enumerate(instants):
        while instants[first] <= end_us - span_us:
            first += 1
        counts.append((end_us, last - first + 1))
    return counts


def ledger_sends(entries: Iterable[Mapping[str, object]]) -> list[tuple[str, int]]:
    """Read whom the simulator accepted what for, and when."""
    return [(str(entry["recipient"]).lstrip("+"), int(str(entry["at_us"]))) for entry in entries]
