"""Reading a topic from some instant to its present end."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Final

from aiokafka.structs import TopicPartition

from garbo.cli.cluster import Untyped
from garbo.common.errors import StartRefused
from garbo.common.runtime.drivers import Record

POLL_MS: Final = 500
SILENCE_POLLS: Final = 60
"""After so many empty polls a topic that has more to give is given up."""


async def records_from(
    consumer: Untyped, topic: str, *, since: datetime | None = None
) -> AsyncIterator[list[Record]]:
    """Give the records that stand in a topic now, some at a time; each partition in its order.

    With `since` from the first one that was written then or later, by its own clock. Raises `StartRefused`
    where there is no such topic, or it does not come to its end.
    """
    await consumer._client._wait_on_metadata(topic)  # noqa: SLF001 - a consumer without topics knows none
    known = sorted(consumer.partitions_for_topic(topic) or ())
    partitions = [TopicPartition(topic, number) for number in known]
    if not partitions:
        raise StartRefused(f"there is no topic {topic}: type garbo topics apply")
    consumer.assign(partitions)
    ends = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end}
    await consumer.seek_to_beginning(*partitions)
    if since is not None:
        await _seek(consumer, partitions, since, ends)
    silence = 0
    while ends:
        for tp in list(ends):
            if await consumer.position(tp) >= ends[tp]:
                ends.pop(tp)
        polled = await consumer.getmany(timeout_ms=POLL_MS) if ends else {}
        for tp, records in polled.items():
            yield [record for record in records if record.offset < ends.get(tp, 0)]
        silence = 0 if polled else silence + 1
        if silence > SILENCE_POLLS:
            raise StartRefused(f"{topic} cannot be read to its end: look at Kafka's log")


async def _seek(
    consumer: Untyped,
    partitions: Collection[TopicPartition],
    since: datetime,
    ends: dict[TopicPartition, int],
) -> None:
    first = await consumer.offsets_for_times({tp: int(since.timestamp() * 1000) for tp in partitions})
    for tp in partitions:
        if found := first.get(tp):
            consumer.seek(tp, found.offset)
        else:
            ends.pop(tp, None)  # nothing there is as young
