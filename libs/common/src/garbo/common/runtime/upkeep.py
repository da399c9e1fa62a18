"""Work a process does again and again beside its traffic."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from garbo.common.errors import RetryLater

EVERY_S: Final = 3600.0
MORE_S: Final = 1.0
"""Between two rounds while there is more to do: others want the database, too."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Calls `once` each hour, and again after a second for as long as it says that there is more."""

    name: str
    once: Callable[[], Awaitable[bool]]
    every_s: float = EVERY_S
    more_s: float = MORE_S

    async def run(self) -> None:
        """Go on for ever. What cannot be done now is tried in the next round."""
        while True:
            more = False
            try:
                more = await self.once()
            except RetryLater as later:
                log.warning("upkeep waits", upkeep=self.name, why=later.why)
            await asyncio.sleep(self.more_s if more else self.every_s)
