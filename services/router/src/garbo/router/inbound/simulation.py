"""One simulation, in a process of its own and of low priority: `python -m garbo.router simulate`.

A job comes as one line of JSON on stdin; the answer goes to stdout as lines of JSON: `progress`, then one of
`report`, `refused`, `busy` and `failed`. When stdin closes, nobody wants the answer: the process ends.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import AwareDatetime

from garbo.common.errors import RetryLater, StartRefused
from garbo.common.events.base import Part
from garbo.router.domain.instants import to_us
from garbo.router.domain.policy import Policy
from garbo.router.flow.queries.comparison import Period
from garbo.router.flow.queries.simulation import Simulation
from garbo.router.inbound.http.views.simulation import simulation_report
from garbo.router.inbound.policy_file.load import (
    PolicyFile,
    PolicyRefused,
    load_policy,
    read_policy,
    read_policy_file,
)
from garbo.router.ports.queries import PastCount, PastReader, SimulationRunning

NICE: Final = 10
"""Deciding, in the router's own process, comes first."""
PROGRESS_EVERY_S: Final = 0.5


class SimulationJob(Part):
    """What is to be simulated."""

    policy: str
    """The other policy, as its file is written."""
    current_version: str
    since: AwareDatetime
    until: AwareDatetime
    warm_up_s: int = 0
    """Requests of so long before `since` are replayed too; they fill caps and are not counted."""
    brands: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a simulation reads from."""

    past: PastReader
    policy_file: Path
    """Read where the policy in force is not among those that were kept."""


OpenSources = Callable[[], Awaitable[Sources]]
"""Raises `RetryLater`, `StartRefused` or `SimulationRunning`; each is an answer."""


def run_simulation(open_sources: OpenSources) -> int:
    """Run the job on stdin; 0 when it ended with an answer."""
    os.nice(NICE)
    job = SimulationJob.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(_run(job, open_sources))
    return 0


async def _run(job: SimulationJob, open_sources: OpenSources) -> None:
    try:
        other = read_policy_file(job.policy.encode())
    except PolicyRefused as refused:
        _say("refused", faults=refused.lines())
        return
    try:
        await _simulate(job, other, open_sources)
    except SimulationRunning:
        _say("busy")
    except (RetryLater, StartRefused) as error:
        _say("failed", detail=str(error))


async def _simulate(job: SimulationJob, other: PolicyFile, open_sources: OpenSources) -> None:
    began_s = time.monotonic()
    sources = await open_sources()
    past = sources.past
    try:
        body = await past.policy_body(job.current_version)
        current = read_policy(body.encode()) if body is not None else load_policy(sources.policy_file)
        there = await past.count(_first(job), job.until)
        simulation = await _replayed(job, past, there, policies=(current, other.policy))
    finally:
        await past.close()
    report = simulation_report(
        simulation.comparison(),
        skipped=there.stored - there.known,
        took_s=time.monotonic() - began_s,
        warnings=other.warnings,
    )
    _say(**report.model_dump(mode="json"))


async def _replayed(
    job: SimulationJob,
    past: PastReader,
    there: PastCount,
    *,
    policies: tuple[Policy, Policy],
) -> Simulation:
    period = Period(since_us=to_us(job.since), until_us=to_us(job.until), brands=job.brands)
    simulation = Simulation(current=policies[0], other=policies[1], period=period)
    done, told_s = 0, 0.0
    _say("progress", done=0, total=there.known)
    async for contact_id, asked in past.people(_first(job), job.until):
        simulation.take(contact_id, asked)
        done += len(asked)
        if time.monotonic() - told_s >= PROGRESS_EVERY_S:
            told_s = time.monotonic()
            _say("progress", done=done, total=there.known)
    _say("progress", done=done, total=there.known)
    return simulation


def _first(job: SimulationJob) -> datetime:
    return job.since - timedelta(seconds=job.warm_up_s)


def _say(kind: str, **more: Any) -> None:  # noqa: ANN401 - JSON
    sys.stdout.buffer.write(orjson.dumps({"kind": kind, **more}, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _end_with_stdin() -> None:
    """End when whoever asked is gone, also when they were killed: their end of the pipe is closed then."""
    while os.read(0, 1024):
        pass
    os._exit(3)
