"""`garbo lane`: how far each consumer group is, and the way past records that hold one up."""

import asyncio
import os
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from aiokafka.errors import CommitFailedError, UnknownMemberIdError
from aiokafka.structs import TopicPartition

from garbo.cli.cluster import Untyped, admin_of, consumer_of, ends_of, producer_of
from garbo.cli.connection import kafka_of
from garbo.common.clock import SystemClock
from garbo.common.errors import RetryLater, StartRefused
from garbo.common.events.topics import SERVICES, dead_letters, redrive
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver.burial import DeadLetters
from garbo.common.runtime.deliver.decoder import Refused

READ_S: Final = 30.0
"""The next records of a partition must come within this."""
AT_ONCE: Final = 100
REASON: Final = "buried_by_operator"

lane = typer.Typer(help="How far each lane is, and the way past what holds one up.", no_args_is_help=True)
GroupOption = Annotated[str, typer.Option("--group", help="Such as router.care.")]
TopicOption = Annotated[str, typer.Option("--topic", help="Such as send.requested, or its whole name.")]
PartitionOption = Annotated[int, typer.Option("--partition", min=0)]
ToOption = Annotated[int, typer.Option("--to", min=0, help="The first offset that is read again.")]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a group is in one partition."""

    partition: TopicPartition
    next_offset: int
    """The first record that is not done."""
    end: int


async def progress_of(kafka: KafkaSettings, group: str) -> list[Progress]:
    """Tell how far a group is, in each partition of which it has committed something."""
    async with admin_of(kafka) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
    committed = {tp: meta.offset for tp, meta in offsets.items() if meta.offset >= 0}
    if not committed:
        return []
    async with consumer_of(kafka, group=group) as consumer:
        ends = await ends_of(consumer, committed)
    return [Progress(tp, offset, ends[tp]) for tp, offset in sorted(committed.items())]


async def groups_of(kafka: KafkaSettings) -> list[str]:
    """Name the groups of our services that the cluster knows."""
    async with admin_of(kafka) as admin:
        groups = [str(group[0]) for group in await admin.list_consumer_groups()]
    return sorted(group for group in groups if group.partition(".")[0] in SERVICES)


async def skip(kafka: KafkaSettings, group: str, partition: TopicPartition, *, to: int) -> int:
    """Let a group go on at an offset; tell how many offsets it passes over.

    Raises `StartRefused` for an offset that is not ahead, and while the group has members: they would
    commit over it.
    """
    async with consumer_of(kafka, group=group) as consumer:
        first = await _first(consumer, partition, to)
        await _commit(consumer, group, partition, to)
    return to - first


async def bury(kafka: KafkaSettings, group: str, partition: TopicPartition, *, to: int) -> int:
    """Do as `skip`, and bury what is passed over as dead letters of the service; tell how many."""
    service = group.partition(".")[0]
    async with consumer_of(kafka, group=group) as consumer, producer_of(kafka) as producer:
        graves = DeadLetters(
            group=group,
            to=dead_letters(service).name,
            redrive=redrive(service).name,
            publisher=producer,
            clock=SystemClock(),
        )
        first = await _first(consumer, partition, to)
        await _commit(consumer, group, partition, first)  # refused now, not after all of them are buried
        try:
            buried = await _bury_all(consumer, graves, partition, first, to)
        except RetryLater as later:
            raise StartRefused(f"the dead letters could not be written ({later.why}): try again") from None
        await _commit(consumer, group, partition, to)
    return buried


async def _bury_all(
    consumer: Untyped, graves: DeadLetters, partition: TopicPartition, first: int, to: int
) -> int:
    buried, position = 0, first
    consumer.seek(partition, first)
    async with asyncio.timeout(READ_S) as patience:
        while position < to:
            polled = await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
            records = [record for record in polled.get(partition, []) if record.offset < to]
            await graves.bury([Refused(record, REASON, "waiting") for record in records])
            buried += len(records)
            if (now := await consumer.position(partition)) > position:
                position = now
                patience.reschedule(asyncio.get_running_loop().time() + READ_S)
    return buried


async def _first(consumer: Untyped, partition: TopicPartition, to: int) -> int:
    """Give the offset a group is at, once it is sure that `to` lies ahead of it and was written."""
    beginning = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.assign([partition])
    committed = await consumer.committed(partition)
    first: int = max(beginning, committed if committed is not None else beginning)
    if not first <= to <= end:
        raise StartRefused(f"--to must be between {first} (where the group is) and {end} (the end).")
    return first


async def _commit(consumer: Untyped, group: str, partition: TopicPartition, to: int) -> None:
    try:
        await consumer.commit({partition: to})
    except (CommitFailedError, UnknownMemberIdError):
        service = group.partition(".")[0]
        raise StartRefused(f"{group} is being read: stop every {service}, type this, start them.") from None


def _partition(topic: str, partition: int) -> TopicPartition:
    return TopicPartition(topic if topic.startswith("garbo.") else f"garbo.{topic}.v1", partition)


@lane.command("list")
def show(
    group: Annotated[str | None, typer.Argument(help="Such as router.care; all without one.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Partitions without lag as well.")] = False,
) -> None:
    """Show where each group is, and how many records wait."""
    kafka = kafka_of(os.environ)
    for name in [group] if group else asyncio.run(groups_of(kafka)):
        for one in asyncio.run(progress_of(kafka, name)):
            if every or one.end > one.next_offset:
                where = f"{one.partition.topic} {one.partition.partition}"
                typer.echo(
                    f"{name:<18}{where:<34}next {one.next_offset}  waiting {one.end - one.next_offset}"
                )


@lane.command("skip")
def skip_records(group: GroupOption, topic: TopicOption, partition: PartitionOption, to: ToOption) -> None:
    """Let a group go on at an offset: what lies before it is never read by this group."""
    count = asyncio.run(skip(kafka_of(os.environ), group, _partition(topic, partition), to=to))
    typer.echo(f"{group} goes on at {to}: {count} offsets passed over")


@lane.command("bury")
def bury_records(group: GroupOption, topic: TopicOption, partition: PartitionOption, to: ToOption) -> None:
    """Write what lies before an offset to the dead letters, and let the group go on there."""
    count = asyncio.run(bury(kafka_of(os.environ), group, _partition(topic, partition), to=to))
    typer.echo(f"{group} goes on at {to}: {count} records are dead letters ({REASON})")
