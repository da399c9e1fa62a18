"""How fast a count grows, without the start and the end of a run."""

import asyncio
import time
from collections.abc import Awaitable, Callable

WITHIN_S = 240


async def rate(count: Callable[[], Awaitable[int]], *, total: int) -> float:
    """Follow a count until it reaches `total`; returns its growth per second from a tenth of it on."""
    first: tuple[float, int] | None = None
    async with asyncio.timeout(WITHIN_S):
        while True:
            now, seen = time.perf_counter(), await count()
            if first is None and seen >= total / 10:
                first = (now, seen)
            if seen >= total:
                break
            await asyncio.sleep(0.05)
    if first is None or seen == first[1]:
        raise AssertionError("it was done before it could be measured: ask for more")
    return (seen - first[1]) / (time.perf_counter() - first[0])
