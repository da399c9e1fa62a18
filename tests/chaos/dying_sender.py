"""`python -m tests.chaos.dying_sender`: the sender, which kills itself at a named point.

As `python -m garbo.sender`, but a dead member's partitions are free after 6 s instead of 30.
`GARBO_CHAOS_DIE_AT` is a point and which time: `begun:3` dies the third time attempts have been committed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from garbo.common.runtime.broker import kafka_of
from garbo.common.runtime.lifecycle import App, run
from garbo.common.runtime.published import read_business
from garbo.common.runtime.settings import load
from garbo.common.runtime.telemetry import observe
from garbo.sender.app import wire
from garbo.sender.outbound.kafka import KafkaResults
from garbo.sender.outbound.postgres import PostgresAttempts
from garbo.sender.outbound.postgres_queue import PostgresQueue
from garbo.sender.outbound.whatsapp import WhatsAppApi
from garbo.sender.settings import SenderSettings

Work = Callable[..., Awaitable[Any]]
POINTS: Final[dict[str, tuple[type[Any], str]]] = {
    "taken_in": (PostgresQueue, "take_in"),
    "begun": (PostgresAttempts, "begin"),
    "calling": (WhatsAppApi, "post"),
    "answered": (WhatsAppApi, "post"),
    "recorded": (PostgresAttempts, "record"),
    "told": (KafkaResults, "publish"),
    "forgotten": (PostgresQueue, "forget"),
}
"""taken_in: before the offset is committed. begun: before the call. calling: while its answer is awaited.
answered: before it is recorded. recorded: before it is told. told: before it is forgotten."""
SESSION_S: Final = 6.0
IN_FLIGHT_S: Final = 0.02


def _dying(work: Work, *, is_under_way: bool, times: int) -> Work:
    passed = 0

    async def work_and_die(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it is
        nonlocal passed
        doing = asyncio.ensure_future(work(*arguments, **named))
        await asyncio.wait([doing], timeout=IN_FLIGHT_S if is_under_way else None)
        passed += 1
        if passed >= times:
            os.kill(os.getpid(), signal.SIGKILL)
        return await doing

    return work_and_die


def build() -> App:
    """Wire the process, dying where it is told to."""
    if said := os.environ.pop("GARBO_CHAOS_DIE_AT", ""):
        point, _, times = said.partition(":")
        owner, name = POINTS[point]
        dying = _dying(getattr(owner, name), is_under_way=point == "calling", times=int(times))
        setattr(owner, name, dying)
    settings = load(SenderSettings)
    kafka = replace(kafka_of(settings), session_s=SESSION_S)
    return wire(settings, read_business(settings.config, live=settings.live), observe(settings), kafka=kafka)


if __name__ == "__main__":
    sys.exit(run(build))
