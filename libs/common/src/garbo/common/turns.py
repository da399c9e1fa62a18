"""Giving way: long work on one thread lets others have a turn every few milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from time import perf_counter
from typing import Final, TypeVar

TURN_S: Final = 0.003
"""Urgent work waits for at most one such turn at each of its own steps."""
PATIENCE_S: Final = 9 * TURN_S
"""Who gives way waits for at most this long between two turns, and so keeps a tenth of the time."""
LOOK_EVERY: Final = 8

T = TypeVar("T")


class Courtesy:
    """Between two kinds of work on one event loop: the patient rests while the urgent is under way."""

    def __init__(self) -> None:
        self._urgent_count = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Do what should not wait."""
        self._urgent_count += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._urgent_count -= 1
            if self._urgent_count == 0:
                self._quiet.set()

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Do what can wait: inside, `in_turns` rests while something urgent is under way."""
        token = _COURTESY.set(self)
        try:
            yield
        finally:
            _COURTESY.reset(token)

    async def give_way(self) -> None:
        """Let others have a turn: all of what is urgent, or `PATIENCE_S` of it."""
        if self._urgent_count == 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):  # the floor: then it is this one's turn all the same
            async with asyncio.timeout(PATIENCE_S):
                await self._quiet.wait()


_COURTESY: ContextVar[Courtesy | None] = ContextVar("courtesy", default=None)


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Give all items, and the event loop a turn between them whenever one has lasted for `TURN_S`."""
    began_s = perf_counter()
    for place, item in enumerate(items, start=1):
        yield item
        if place % LOOK_EVERY == 0 and perf_counter() - began_s > TURN_S:
            courtesy = _COURTESY.get()
            await (courtesy.give_way() if courtesy else asyncio.sleep(0))
            began_s = perf_counter()
