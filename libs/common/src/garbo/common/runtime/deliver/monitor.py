"""Looks at every lane now and then: lag, late commits, and whether it consumes at all."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import structlog
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import TopicPartition

from garbo.common.runtime.bounded import bounded
from garbo.common.runtime.deliver.lane import DeliveryTimes
from garbo.common.runtime.deliver.member import GroupMember
from garbo.common.runtime.drivers import Consumer
from garbo.common.runtime.kafka_metrics import (
    LAG_RECORDS,
    LAG_SECONDS,
    POLL_AGE_SECONDS,
    STUCK_SECONDS,
)
from garbo.common.runtime.watchdog import NotConsuming, Signs, Watchdog

log = structlog.get_logger()

Offsets: TypeAlias = dict[TopicPartition, int]

ASK_S = 5.0
"""What the broker gets to tell the end offsets of one lane."""


class ConsumerMonitor:
    """A task that looks at all members every `look_every_s`, and fails the process for one that is stuck."""

    def __init__(
        self, members: Sequence[GroupMember], *, times: DeliveryTimes, fail: Callable[[BaseException], None]
    ) -> None:
        self._watched = [(member, Watchdog(budget_s=times.watchdog_s)) for member in members]
        self._shown: dict[str, set[TopicPartition]] = {}
        self._every_s = times.look_every_s
        self._fail = fail
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look_on(), name="consumer-monitor")
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            for member, watchdog in self._watched:
                await self._look(member, watchdog)

    async def _look(self, member: GroupMember, watchdog: Watchdog) -> None:
        await bounded(f"commit of {member.group}", member.commit_late(), within_s=ASK_S)
        positions, lags = await self._measure(member)
        now = time.monotonic()
        POLL_AGE_SECONDS.labels(member.group).set(now - member.polled_at)
        signs = Signs(
            polled_at=member.polled_at,
            busy=member.busy,
            waiting=member.backoff.waiting,
            positions=positions,
            lags=lags,
        )
        wrong = watchdog.look(signs, now=now)
        member.stuck_s = watchdog.stuck_s(now=now)
        STUCK_SECONDS.labels(member.group).set(member.stuck_s)
        if wrong:
            log.error("lane does not consume", group=member.group, why=wrong)
            self._fail(NotConsuming(f"{member.group}: {wrong}"))

    async def _measure(self, member: GroupMember) -> tuple[Offsets | None, Offsets | None]:
        """Ask the broker for positions and lags; neither is known when it does not answer."""
        consumer = member.consumer
        if consumer is None:
            return None, None
        try:
            async with asyncio.timeout(ASK_S):
                ends, positions = await _ends_and_positions(consumer)
        except (KafkaError, ConsumerStoppedError, TimeoutError, OSError):
            return None, None
        lag = {tp: max(0, end - (member.offsets.next_of(tp) or positions[tp])) for tp, end in ends.items()}
        self._show(member.group, lag)
        return positions, {tp: max(0, end - positions[tp]) for tp, end in ends.items()}

    def _show(self, group: str, lag: dict[TopicPartition, int]) -> None:
        for tp in self._shown.get(group, set()) - lag.keys():
            LAG_RECORDS.remove(group, tp.topic, str(tp.partition))
        for tp, records in lag.items():
            LAG_RECORDS.labels(group, tp.topic, str(tp.partition)).set(records)
        if not any(lag.values()):
            LAG_SECONDS.labels(group).set(0)
        self._shown[group] = set(lag)


async def _ends_and_positions(consumer: Consumer) -> tuple[Offsets, Offsets]:
    partitions = list(consumer.assignment())
    if not partitions:
        return {}, {}
    ends = await consumer.end_offsets(partitions)
    return ends, {tp: await consumer.position(tp) for tp in partitions}
