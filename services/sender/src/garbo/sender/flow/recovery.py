"""Attempts whose process is gone become `unknown`, at start and ever after."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.results import SendResult
from garbo.sender.ports.attempts import Attempts
from garbo.sender.ports.outside import Results, Telemetry
from garbo.sender.ports.queue import Queue

LEFT_OVER: Final = timedelta(seconds=50)
"""Longer than any call may take (45 s) with room for recording its answer; a later one still counts."""
UNSETTLED_AFTER: Final = timedelta(hours=1)
"""What no answer and no status has settled by then counts as accepted, and is shown as what it is."""
EVERY_S: Final = 2.5
AT_ONCE: Final = 500

log = structlog.get_logger()


@dataclass(slots=True)
class Recovery:
    """Looks after attempts nobody is waiting for."""

    attempts: Attempts
    results: Results
    queue: Queue
    telemetry: Telemetry
    older_than: timedelta = LEFT_OVER
    unsettled_after: timedelta = UNSETTLED_AFTER
    every_s: float = EVERY_S
    _unpublished: list[SendResult] = field(default_factory=list)

    async def look_once(self) -> Sequence[SendResult]:
        """Turn what is left over into `unknown` and publish it, after `RetryLater` next time."""
        found = await self.attempts.abandon(older_than=self.older_than, limit=AT_ONCE)
        self._unpublished += found
        self._unpublished += await self.attempts.unsettled(older_than=self.unsettled_after, limit=AT_ONCE)
        await self.results.publish([(result, None) for result in self._unpublished])
        await self.queue.forget(self._unpublished)
        self._unpublished.clear()
        self.telemetry.unknown_attempts(await self.attempts.unknown_count())
        return found

    async def run(self) -> None:
        """Look, at once and ever after."""
        while True:
            try:
                if found := await self.look_once():
                    log.warning("attempts left unknown", count=len(found))
            except RetryLater as later:
                log.warning("recovery waits", why=later.why)
            await asyncio.sleep(self.every_s)
