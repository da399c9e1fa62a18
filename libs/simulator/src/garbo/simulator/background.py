"""An endless coroutine as a component of a process."""

import asyncio
from collections.abc import Awaitable, Callable


class Background:
    """Runs one endless coroutine from `start` to `stop`; if it ends by itself the process must know."""

    def __init__(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._run = run
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._live(), name=self._name)

    async def stop(self) -> None:
        """Cancel and wait."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def wait_failed(self) -> BaseException:
        """Return when it ended without being told to."""
        if self._task is None:
            return RuntimeError(f"{self._name}: not started")
        await asyncio.wait([self._task])
        failure = None if self._task.cancelled() else self._task.exception()
        return failure or RuntimeError(f"{self._name}: ended")

    async def _live(self) -> None:
        await self._run()
