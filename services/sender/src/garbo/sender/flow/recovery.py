"""Attempts whose process is gone become `unknown`, at start and ever after."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.common.events.results import SendResult
from garbo.sender.ports import Attempts, Results, Telemetry

LEFT_OVER: Final = timedelta(seconds=60)
"""Longer than any call may take (45 s) with room for recording its answer."""
EVERY_S: Final = 10.0
AT_ONCE: Final = 500

log = structlog.get_logger()


@dataclass(slots=True)
class Recovery:
    """Looks after attempts nobody is waiting for."""

    attempts: Attempts
    results: Results
    telemetry: Telemetry
    older_than: timedelta = LEFT_OVER
    every_s: float = EVERY_S
    _unpublished: list[SendResult] = field(default_factory=list)

    async def look_once(self) -> Sequence[SendResult]:
        """Turn what is left over into `unknown` and publish it, after `RetryLater` next time."""
        found = await self.attempts.abandon(older_than=self.older_than, limit=AT_ONCE)
        self._unpublished += found
        await self.results.publish([(result, None) for result in self._unpublished])
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
