"""Measure, and print one table."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks import ingest, lanes, preview, router, sender, waking, whole
from benchmarks.figures import HEAD, Delay, Figure
from benchmarks.servers import Bench, servers

MILLION: Final = 1_000_000
MEASURES: Final[dict[str, Callable[[Bench], Figure | Delay]]] = {
    "ingest": ingest.measure,
    "router": router.measure,
    "router-2": partial(router.measure, processes=2),
    "router-1m": partial(router.measure, rows=MILLION, processes=2),
    "lanes": lanes.measure,
    "preview": preview.measure,
    "preview-many": preview.measure_many,
    "sender": sender.measure,
    "whole": whole.measure,
}
ON_REQUEST: Final[dict[str, Callable[[Bench], Figure | Delay]]] = {
    "router-10m": partial(router.measure, rows=10 * MILLION, processes=2),
    "waking": waking.measure,
}
"""Only when named: writing ten million people, or waking a hundred thousand, takes minutes."""


def main(names: list[str]) -> int:
    """Measure what is named, or everything; 1 when an aim is missed."""
    known = MEASURES | ON_REQUEST
    unknown = set(names) - set(known)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    print(HEAD, flush=True)
    missed = False
    for name in names or MEASURES:
        with servers() as bench:
            figure = known[name](bench)
        print(figure.line(), flush=True)
        missed |= figure.missed
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
