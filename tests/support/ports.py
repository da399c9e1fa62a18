"""Loopback ports for servers of tests."""

from itertools import islice
from secrets import SystemRandom
from typing import Final

from garbo.cli.local.ports import is_free

QUIET: Final = range(20_000, 32_000)
"""Below those that systems give to outgoing connections (Linux from 32768, others from 49152): what was free
a moment ago is still free when its server begins to listen."""


def free_ports(count: int) -> tuple[int, ...]:
    """Return that many different loopback ports nobody listens on right now."""
    anywhere = SystemRandom().sample(QUIET, len(QUIET))
    return tuple(islice(filter(is_free, anywhere), count))
