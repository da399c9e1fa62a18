"""Cooperative priority: long work on one event loop yields to other work every few milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from time import perf_counter
from typing import Final, TypeVar

SLICE_S: Final = 0.003
"""Urgent work waits for at most one such time slice at each of its own steps."""
LONGEST_YIELD_S: Final = 9 * SLICE_S
"""Who yields waits for at most this long between two slices, and so keeps a tenth of the time."""
CHECK_EVERY: Final = 8

T = TypeVar("T")


class PriorityGate:
    """Between two kinds of work on one event loop: the patient yields while the urgent is under way."""

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
        """Do what can wait: inside, `yielding` rests while something urgent is under way."""
        token = _GATE.set(self)
        try:
            yield
        finally:
            _GATE.reset(token)

    async def yield_control(self) -> None:
        """Let others run: all of what is urgent, or `LONGEST_YIELD_S` of it."""
        if self._urgent_count == 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):  # the floor: then this one runs all the same
            async with asyncio.timeout(LONGEST_YIELD_S):
                await self._quiet.wait()


_GATE: ContextVar[PriorityGate | None] = ContextVar("priority_gate", default=None)


async def yielding(items: Iterable[T]) -> AsyncIterator[T]:
    """Give all items, and yield to the event loop between them whenever `SLICE_S` has passed."""
    began_s = perf_counter()
    for place, item in enumerate(items, start=1):
        yield item
        if place % CHECK_EVERY == 0 and perf_counter() - began_s > SLICE_S:
            gate = _GATE.get()
            await (gate.yield_control() if gate else asyncio.sleep(0))
            began_s = perf_counter()
