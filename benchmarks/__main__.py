"""Measure, and print one table."""

import sys
from collections.abc import Callable

from benchmarks import ingest, router, sender, whole
from benchmarks.figures import HEAD, Figure
from benchmarks.servers import Bench, servers

MEASURES: dict[str, Callable[[Bench], Figure]] = {
    "ingest": ingest.measure,
    "router": router.measure,
    "sender": sender.measure,
    "whole": whole.measure,
}


def main(names: list[str]) -> int:
    """Measure what is named, or everything; 1 when an aim is missed."""
    unknown = set(names) - set(MEASURES)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
        return 2
    print(HEAD, flush=True)
    missed = False
    for name in names or MEASURES:
        with servers() as bench:
            figure = MEASURES[name](bench)
        print(figure.line(), flush=True)
        missed |= figure.aim is not None and figure.ratio < figure.aim
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
