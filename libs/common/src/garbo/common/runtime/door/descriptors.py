"""Sockets are file descriptors: a process that has none left cannot even connect to Kafka."""

import resource
from dataclasses import replace
from typing import Final

from garbo.common.errors import StartRefused
from garbo.common.runtime.door.limits import Limits

SPARE: Final = 128
"""What a process opens for itself: Kafka, PostgreSQL, files, and sockets accepted only to be refused."""


def limits_within(limits: Limits) -> Limits:
    """Raise this process's soft limit of open files as far as needed; where it cannot be, take fewer sockets.

    Raises `StartRefused` when not even `SPARE` are left for them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.sockets + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    if soft <= 2 * SPARE:
        raise StartRefused(f"only {soft} open files are allowed here: raise it (ulimit -n) to {wanted}.")
    sockets = soft - SPARE
    return replace(limits, sockets=sockets, sockets_per_address=min(limits.sockets_per_address, sockets // 2))
