"""Loopback ports for servers of tests."""

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from secrets import SystemRandom
from typing import Final

from garbo.cli.local.ports import is_free

QUIET: Final = range(20_000, 32_000)
"""Below those that systems give to outgoing connections (Linux from 32768, others from 49152): what was free
a moment ago is still free when its server begins to listen."""


def free_ports(count: int) -> tuple[int, ...]:
    """Return that many different loopback ports nobody listens on right now."""
    ours = ports_of_worker(os.environ)
    anywhere = SystemRandom().sample(ours, len(ours))
    return tuple(islice(filter(is_free, anywhere), count))


def ports_of_worker(env: Mapping[str, str]) -> Sequence[int]:
    """Give the share of this process of a test run: two of them never choose the same at the same moment."""
    worker = env.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    count = int(env.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return QUIET[int(worker) :: count]
