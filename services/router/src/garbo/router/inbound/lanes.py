"""How events come in: three lanes, each with its own group and connections, so none waits for another."""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Any, Final, TypeAlias, TypeVar

from prometheus_client import Histogram

from garbo.common.errors import Reject
from garbo.common.events.base import Event
from garbo.common.events.requests import SendRequested
from garbo.common.events.submitted import SUBMITTED
from garbo.common.events.wire import decode
from garbo.common.priority import PriorityGate
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.router.flow.decide_requests import DecideRequests
from garbo.router.flow.events.apply_events import ApplyEvents
from garbo.router.flow.events.handler import ReceivedEvent
from garbo.router.flow.events.registry import EVENT_TOPICS
from garbo.router.flow.request import ReceivedRequest

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
E = TypeVar("E", bound=Event)
Handler: TypeAlias = Callable[[Sequence[Delivered[E]]], Awaitable[None]]
_PURPOSE: Final = re.compile(rb'"purpose"\s*:\s*"([a-z]*)"')


def is_promo(value: bytes) -> bool:
    """Tell a promo request by its bytes, without decoding it. Right for any JSON a serializer writes.

    Where the word stands more than once (content may hold it as well) the request is decoded after all; what
    cannot be decoded is not promo. Only the waiting time rests on the answer: the rules decide what it is.
    """
    said = _PURPOSE.findall(value)
    if len(said) > 1:
        try:
            return decode(SUBMITTED, value).purpose == "promo"
        except Reject:
            return False
    return said == [b"promo"]


def lanes(
    *, care: DecideRequests, promo: DecideRequests, events: ApplyEvents, batch_records: int
) -> tuple[Lane[Any], ...]:
    """Give the router's groups. Care and promo read one topic, each passing over the other's records.

    They share one thread: a batch of promo rests while care is in hand, down to a tenth of the time.
    """
    gate = PriorityGate()
    return (
        Lane(
            group="router.care",
            topics=(SUBMITTED,),
            handle=_deciding(care, "care", gate.urgent),
            max_records=batch_records,
            wants=lambda value: not is_promo(value),
        ),
        Lane(
            group="router.promo",
            topics=(SUBMITTED,),
            handle=_deciding(promo, "promo", gate.patient),
            max_records=batch_records,
            wants=is_promo,
        ),
        Lane(group="router.events", topics=EVENT_TOPICS, handle=_taking(events)),
    )


def _deciding(
    requests: DecideRequests, lane: str, priority: Callable[[], AbstractContextManager[None]]
) -> Handler[SendRequested]:
    async def decide(batch: Sequence[Delivered[SendRequested]]) -> None:
        started_s = perf_counter()
        with priority():
            await requests.decide([ReceivedRequest(one.event, one.trace, one.value) for one in batch])
        took_s = perf_counter() - started_s
        BATCH_SECONDS.labels(lane).observe(took_s)
        DECIDE_SECONDS.observe(took_s / len(batch))

    return decide


def _taking(events: ApplyEvents) -> Handler[Event]:
    async def take(batch: Sequence[Delivered[Event]]) -> None:
        started_s = perf_counter()
        await events.take([ReceivedEvent(one.event, one.trace, one.record) for one in batch])
        BATCH_SECONDS.labels("events").observe(perf_counter() - started_s)

    return take
