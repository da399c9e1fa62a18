"""What drives the router's own work: each kind in a loop of its own, from start to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Final, TypeAlias

import structlog

from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.background import Background
from garbo.router.ports.telemetry import JobMeter

REST_RATIO: Final = 1.0
"""After a round of work, rest as long as it took: a mountain of it takes half of a process at most."""
BRIEF_REST_RATIO: Final = 0.1
"""What is to be told was decided already: somebody waits for it."""
SHORTEST_REST_S: Final = 0.002
LONGEST_PAUSE_S: Final = 30.0
"""Between tries while database or broker are not there."""

log = structlog.get_logger()

Round: TypeAlias = Callable[[], Awaitable[bool]]
"""Does a bounded part of the work; tells whether there may be more."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often to look for work, in seconds."""

    waking_s: float = 0.25
    reaping_s: float = 1.0
    outbox_s: float = 0.1
    sweeping_s: float = 1.0
    rechecking_s: float = 5.0
    tidying_s: float = 3600.0
    showing_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work."""

    name: str
    once: Round
    every_s: float
    rest_ratio: float = REST_RATIO


@dataclass(slots=True)
class Scheduler:
    """All loops, as one component. A bug in one ends the process; what is only not ready is tried again."""

    works: tuple[Job, ...]
    meter: JobMeter
    _running: list[Background] = field(default_factory=list)

    async def start(self) -> None:
        """Begin all of them."""
        for work in self.works:
            self._running.append(Background(work.name, partial(self._keep, work)))
        for running in self._running:
            await running.start()

    async def stop(self) -> None:
        """Cancel what is under way: nothing of it is committed, or all of it."""
        await asyncio.gather(*(running.stop() for running in self._running))

    async def wait_failed(self) -> BaseException:
        """Return when one of them has ended by a bug."""
        waits = [asyncio.ensure_future(running.wait_failed()) for running in self._running]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for wait in waits:
                wait.cancel()

    async def _keep(self, work: Job) -> None:
        stumbles = 0
        while True:
            started_s = perf_counter()
            try:
                more = await work.once()
            except (RetryLater, Reject) as error:
                stumbles += 1
                self.meter.stumbled(work.name, error.why)
                log.warning("own work stumbled", work=work.name, why=error.why)
                await asyncio.sleep(min(max(work.every_s, 0.5) * 2.0**stumbles, LONGEST_PAUSE_S))
                continue
            stumbles = 0
            took_s = perf_counter() - started_s
            await asyncio.sleep(max(took_s * work.rest_ratio, SHORTEST_REST_S) if more else work.every_s)
