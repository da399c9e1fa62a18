"""Calls that have started are finished, whatever becomes of the batch they came from."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

FINISH_S: Final = 20.0
"""Of the process's stop budget (25 s a component). What is not answered by then is settled by its status."""


class InFlight:
    """Owns the tasks that hold HTTP calls, so that a cancelled batch does not cut them off."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.closing = False
        """True once the process stops: begin nothing new."""

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Wait for what is under way, `FINISH_S` at most."""
        self.closing = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=FINISH_S)

    def keep(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Start work that must not be cut off; whoever needs its answer waits with `asyncio.wait`."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Closing:
    """Started after the consumers and so stopped before them: says that nothing new begins."""

    def __init__(self, inflight: InFlight) -> None:
        self._inflight = inflight

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Say it."""
        self._inflight.closing = True
