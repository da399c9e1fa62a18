"""How tests run side by side: which stay together, which begin, how many processes."""

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadGroupScheduling

MOST_WORKERS = 4
"""Each may run a broker, a database and an installation: 1.5 GB."""


class ByFile(LoadGroupScheduling):
    """The tests of a file run one after the other in one process, as their module's servers want it.

    So do all tests of one `xdist_group`, whatever their files.
    """

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group


def workers_count() -> int:
    """One more than cores: many tests wait. A broker that was given holds the topics of one at a time."""
    return 1 if os.environ.get("GARBO_TEST_KAFKA") else min((os.cpu_count() or 1) + 1, MOST_WORKERS)


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
