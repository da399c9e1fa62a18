"""How events come in: two lanes, each with its own group and connections, so neither waits for the other."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any, Final

from prometheus_client import Histogram

from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import (
    CONSENT_RECORDED,
    INBOUND_MESSAGE,
    MESSAGE_STATUS,
    PLATFORM_CHANGE,
    SEND_REQUESTED,
    SEND_RESULT,
)
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.router.flow.ask import Asked
from garbo.router.flow.events import Heard, RouterEvent, TakeEvents
from garbo.router.flow.requests import DecideRequests

BATCH_SECONDS: Final = Histogram(
    "garbo_router_batch_seconds",
    "From a batch's arrival to its last acknowledged record",
    ["lane"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DECIDE_SECONDS: Final = Histogram(
    "garbo_router_decide_seconds",
    "A batch's time divided by its requests",
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1),
)


def lanes(requests: DecideRequests, events: TakeEvents, *, batch_records: int) -> tuple[Lane[Any], ...]:
    """Give the router's two consumer groups."""

    async def decide(batch: Sequence[Delivered[SendRequested]]) -> None:
        started_s = perf_counter()
        await requests.decide([Asked(delivered.event, delivered.trace) for delivered in batch])
        took_s = perf_counter() - started_s
        BATCH_SECONDS.labels("requests").observe(took_s)
        DECIDE_SECONDS.observe(took_s / len(batch))

    async def take(batch: Sequence[Delivered[RouterEvent]]) -> None:
        started_s = perf_counter()
        await events.take([Heard(delivered.event, delivered.trace) for delivered in batch])
        BATCH_SECONDS.labels("events").observe(perf_counter() - started_s)

    heard = (INBOUND_MESSAGE, MESSAGE_STATUS, SEND_RESULT, CONSENT_RECORDED, PLATFORM_CHANGE)
    return (
        Lane(group="router.requests", topics=(SEND_REQUESTED,), handle=decide, max_records=batch_records),
        Lane(group="router.events", topics=heard, handle=take),
    )
