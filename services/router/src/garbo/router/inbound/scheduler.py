"""What drives the background jobs: each in a loop of its own, from start to stop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Final, Protocol

import structlog

from garbo.common.errors import Reject, RetryLater
from garbo.common.runtime.background import Background
from garbo.router.flow.jobs.schedule import Schedule
from garbo.router.ports.telemetry import JobMeter

SHORTEST_REST_S: Final = 0.002
LONGEST_PAUSE_S: Final = 30.0
"""Between tries while database or broker are not there."""

log = structlog.get_logger()


class Job(Protocol):
    """One kind of work the router does by itself."""

    @property
    def name(self) -> str:
        """What metrics and logs call it."""
        ...

    @property
    def schedule(self) -> Schedule:
        """When it runs."""
        ...

    async def once(self) -> bool:
        """Do a bounded part of the work; tells whether there may be more. Raises `RetryLater`."""
        ...


@dataclass(slots=True)
class Scheduler:
    """All loops, as one component. A bug in one ends the process; what is only not ready is tried again."""

    jobs: Sequence[Job]
    meter: JobMeter
    _running: list[Background] = field(default_factory=list)

    async def start(self) -> None:
        """Begin all of them."""
        for job in self.jobs:
            self._running.append(Background(job.name, partial(self._keep, job)))
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

    async def _keep(self, job: Job) -> None:
        failures, schedule = 0, job.schedule
        while True:
            started_s = perf_counter()
            try:
                more = await job.once()
            except (RetryLater, Reject) as error:
                failures += 1
                self.meter.failed(job.name, error.why)
                log.warning("job failed", job=job.name, why=error.why)
                await asyncio.sleep(min(max(schedule.interval_s, 0.5) * 2.0**failures, LONGEST_PAUSE_S))
                continue
            failures = 0
            took_s = perf_counter() - started_s
            await asyncio.sleep(
                max(took_s * schedule.rest_ratio, SHORTEST_REST_S) if more else schedule.interval_s
            )
