"""How tests run side by side: which stay together, which begin, how many processes."""

import os
from pathlib import Path
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

MOST_WORKERS = 4
"""Each may run a broker, a database and an installation: 1.5 GB."""
HEAVY: Final = ("tests/chaos/", "tests/e2e/")
"""Folders whose tests share an installation or start their own: two of these at a time starve each other."""


class ByFile(LoadScopeScheduling):
    """The tests of a file run one after the other in one process, as their module's servers want it.

    So do all that are heavy.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "heavy" if nodeid.startswith(HEAVY) else nodeid.partition("::")[0]


def workers_count() -> int:
    """As many as cores. A broker that was given holds the topics of one at a time."""
    return 1 if os.environ.get("GARBO_TEST_KAFKA") else min(os.cpu_count() or 1, MOST_WORKERS)


def longest_first(items: list[pytest.Item]) -> None:
    """Begin with the files that may take longest: no process has one left when the others are done."""
    longest: dict[Path, float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0), _may_take_s(item))
    items.sort(key=lambda item: -longest[item.path])


def _may_take_s(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    if limit is not None:
        return float(limit.args[0])
    return 2.0 if item.get_closest_marker("integration") else 1.0
