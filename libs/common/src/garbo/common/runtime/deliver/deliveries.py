"""All lanes of a service, as one part of its life."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from garbo.common.clock import SystemClock
from garbo.common.errors import StartRefused
from garbo.common.events.topics import dead_letters, redrive
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver.batch import BatchProcessor
from garbo.common.runtime.deliver.burial import DeadLetters, Publisher
from garbo.common.runtime.deliver.decoder import Decoder
from garbo.common.runtime.deliver.lane import DeliveryTimes, Lane
from garbo.common.runtime.deliver.member import GroupMember
from garbo.common.runtime.deliver.monitor import ConsumerMonitor
from garbo.common.runtime.deliver.refusals import Refusals
from garbo.common.runtime.producer import unreachable

KNOCK_EVERY_S: Final = 1.0
FAILED_POLLS: Final = 3
"""So many in a row (after 1, 2 and 4 s) and the process is not ready."""

log = structlog.get_logger()


class Deliveries:
    """Consumes the lanes of a service: at least once, in bounded time, or it says that it cannot.

    Beside its topics each lane reads the service's redrive topic, and takes from it what came from
    one of its topics. Refused records go to the service's dead-letter topic.
    """

    def __init__(
        self,
        *,
        kafka: KafkaSettings,
        service: str,
        producer: Publisher,
        lanes: Sequence[Lane[Any]],
        times: DeliveryTimes | None = None,
    ) -> None:
        self._kafka = kafka
        self._service = service
        self._producer = producer
        self._times = times or DeliveryTimes()
        self._failed = asyncio.Event()
        self._failure: BaseException | None = None
        self._members = [self._member(lane, lanes) for lane in lanes]
        self._monitor = ConsumerMonitor(self._members, times=self._times, fail=self._fail)

    async def start(self) -> None:
        """Join all groups; raises `StartRefused` when Kafka does not answer or a topic is missing."""
        try:
            async with asyncio.TaskGroup() as joining:
                for member in self._members:
                    joining.create_task(self._join(member))
        except* StartRefused as refused:
            raise refused.exceptions[0] from None
        self._monitor.start()

    async def stop(self) -> None:
        """Stop taking, finish the batches in hand, commit, leave the groups. Bounded; never raises."""
        await self._monitor.stop()
        async with asyncio.TaskGroup() as leaving:
            for member in self._members:
                leaving.create_task(member.stop())

    async def wait_failed(self) -> BaseException:
        """Return only when a lane cannot go on: a bug, or it no longer consumes."""
        await self._failed.wait()
        return self._failure or RuntimeError("failed without a reason")

    def partitions(self, group: str, topic: str) -> frozenset[int]:
        """Say which partitions of a topic a lane of ours is assigned now."""
        consumer = next((member.consumer for member in self._members if member.group == group), None)
        assigned = consumer.assignment() if consumer else set()
        return frozenset(one.partition for one in assigned if one.topic == topic)

    @property
    def healthy(self) -> bool:
        """True while no lane has failed and each has polled within the watchdog's budget."""
        oldest = min((member.polled_at for member in self._members), default=time.monotonic())
        return self._failure is None and time.monotonic() - oldest < self._times.watchdog_s

    @property
    def ready(self) -> bool:
        """True while all partitions are read: not after several failed polls, nor while one stands still."""
        return self.healthy and not any(
            member.failed_polls >= FAILED_POLLS or member.stuck_s > self._times.watchdog_s / 2
            for member in self._members
        )

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._failed.set()

    async def _join(self, member: GroupMember) -> None:
        """Join one group, knocking until the broker answers."""
        try:
            async with asyncio.timeout(self._kafka.start_s):
                await self._knock(member)
        except TimeoutError:
            await member.abort_start()
            raise StartRefused(unreachable(self._kafka)) from None

    async def _knock(self, member: GroupMember) -> None:
        while True:
            if await self._joined(member):
                return
            await asyncio.sleep(KNOCK_EVERY_S)

    async def _joined(self, member: GroupMember) -> bool:
        try:
            await member.start()
        except UnknownTopicOrPartitionError:
            await member.abort_start()
            raise StartRefused(
                f"a topic that {member.group} reads does not exist: type garbo topics apply."
            ) from None
        except (KafkaError, OSError) as error:
            log.warning("kafka does not answer yet", group=member.group, error=type(error).__name__)
            await member.abort_start()
            return False
        return True

    def _member(self, lane: Lane[Any], lanes: Sequence[Lane[Any]]) -> GroupMember:
        again = redrive(self._service).name
        decoder = Decoder(
            topics=lane.topics,
            redrive=again,
            others=frozenset(origin for other in lanes for origin in other.origins),
            takes_strays=lane is lanes[0],
            wants=lane.wants,
            doors=lane.doors,
        )
        processor = BatchProcessor(
            group=lane.group,
            handle=lane.handle,
            decoder=decoder,
            refusals=Refusals(lane.refusals),
            dead_letters=DeadLetters(
                group=lane.group,
                to=dead_letters(self._service).name,
                redrive=again,
                publisher=self._producer,
                clock=SystemClock(),
            ),
        )
        return GroupMember(
            group=lane.group,
            topics=[*(topic.name for topic in lane.topics), again],
            max_records=lane.max_records,
            kafka=self._kafka,
            processor=processor,
            times=self._times,
            fail=self._fail,
        )
