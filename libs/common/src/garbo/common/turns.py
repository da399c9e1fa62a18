"""Giving way: long work on one thread lets others have a turn every few milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import perf_counter
from typing import Final, TypeVar

TURN_S: Final = 0.003
"""A care request waits for at most one such turn at each of its own steps."""
LOOK_EVERY: Final = 8

T = TypeVar("T")


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Give all items, and the event loop a turn between them whenever one has lasted for `TURN_S`."""
    began_s = perf_counter()
    for place, item in enumerate(items, start=1):
        yield item
        if place % LOOK_EVERY == 0 and perf_counter() - began_s > TURN_S:
            await asyncio.sleep(0)
            began_s = perf_counter()
