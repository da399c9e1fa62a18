"""Attempts whose process is gone become `unknown`, at start and ever after."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.results import SendResult
from garbo.sender.ports import Attempts, Results, Watch

LEFT_OVER: Final = timedelta(seconds=60)
"""Longer than any call may take (45 s) with room for recording its answer."""
EVERY_S: Final = 10.0
AT_ONCE: Final = 500

log = structlog.get_logger()


@dataclass(slots=True)
class Recovery:
    """A component that looks after attempts nobody is waiting for."""

    attempts: Attempts
    results: Results
    watch: Watch
    older_than: timedelta = LEFT_OVER
    every_s: float = EVERY_S
    _untold: list[SendResult] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    async def start(self) -> None:
        """Begin to look, at once."""
        self._task = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def wait_failed(self) -> BaseException:
        """Return when looking has ended by a bug."""
        if self._task is None:
            return RuntimeError("not started")
        await asyncio.wait([self._task])
        if self._task.cancelled():
            return RuntimeError("cancelled")
        return self._task.exception() or RuntimeError("recovery ended")

    async def look_once(self) -> Sequence[SendResult]:
        """Turn what is left over into `unknown` and tell it; after `RetryLater` it is told next time."""
        found = await self.attempts.abandon(older_than=self.older_than, limit=AT_ONCE)
        self._untold += found
        await self.results.publish([(result, None) for result in self._untold])
        self._untold.clear()
        self.watch.unknown(await self.attempts.unknown_count())
        return found

    async def _keep_looking(self) -> None:
        while True:
            try:
                if found := await self.look_once():
                    log.warning("attempts left unknown", count=len(found))
            except RetryLater as later:
                log.warning("recovery waits", why=later.why)
            await asyncio.sleep(self.every_s)
