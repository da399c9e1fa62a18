"""An endless coroutine as a component of a process."""

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """Runs one endless coroutine from `start` to `stop`; when it ends by itself, the process fails."""

    def __init__(self, name: str, run: Callable[[], Coroutine[None, None, None]]) -> None:
        self._name = name
        self._run = run
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Cancel it and wait until it is gone."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def wait_failed(self) -> BaseException:
        """Return when it has ended without being told to, by a bug or not."""
        if self._task is None:
            return RuntimeError(f"{self._name}: not started")
        await asyncio.wait([self._task])
        failure = None if self._task.cancelled() else self._task.exception()
        return failure or RuntimeError(f"{self._name}: ended")
