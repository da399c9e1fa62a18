"""What is going to happen, and when: one heap of instants and plain functions."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Final

Action = Callable[[], None]
TICK_S: Final = 0.005
"""Instants closer than this are taken together: thousands a second must not wake the loop one by one."""


class Agenda:
    """Runs small actions when their time has come; `run` is its endless loop."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._sooner = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def after(self, delay_s: float, action: Action) -> None:
        """Run `action` in `delay_s` seconds."""
        due_at = asyncio.get_running_loop().time() + delay_s
        heapq.heappush(self._heap, (due_at, next(self._order), action))
        if self._heap[0][0] == due_at:
            self._sooner.set()

    def hurry(self) -> None:
        """Run everything that stands on the agenda now, in its order. What that adds keeps its own time."""
        waiting, self._heap = self._heap, []
        for _, _, action in sorted(waiting, key=lambda item: item[:2]):
            action()

    async def run(self) -> None:
        """Do what is due, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._sooner.clear()
            now = loop.time()
            while self._heap and self._heap[0][0] <= now:
                heapq.heappop(self._heap)[2]()
            pause_s = max(TICK_S, self._heap[0][0] - loop.time()) if self._heap else None
            await self._wait(pause_s)

    async def _wait(self, pause_s: float | None) -> None:
        try:
            await asyncio.wait_for(self._sooner.wait(), pause_s)
        except TimeoutError:
            return
