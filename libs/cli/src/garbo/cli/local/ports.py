"""Loopback ports: which are free, which are taken."""

import socket
from itertools import islice
from secrets import SystemRandom
from typing import Final

LOOPBACK = "127.0.0.1"
QUIET: Final = range(20_000, 32_000)
"""Below those that systems give to outgoing connections (Linux from 32768, others from 49152): what was free
a moment ago is still free when its server begins to listen."""


def free_ports(count: int) -> tuple[int, ...]:
    """Return that many different loopback ports nobody listens on right now."""
    anywhere = SystemRandom().sample(QUIET, len(QUIET))
    return tuple(islice(filter(is_free, anywhere), count))


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
