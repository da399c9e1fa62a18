"""What the lanes of an installation have not read yet."""

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka import TopicPartition

from garbo.cli.cluster import admin_of, consumer_of, ends_of
from garbo.common.runtime.broker import KafkaSettings
from libs.common.tests.support.waiting import until

LOOK_EVERY_S: Final = 0.5


async def all_read(
    kafka: KafkaSettings, *, upto: Mapping[TopicPartition, int] | None = None, within_s: float = 60
) -> None:
    """Wait until the lanes of all services have read up to there, else all there is."""
    async with admin_of(kafka) as admin, consumer_of(kafka) as consumer:

        async def waiting() -> dict[str, int]:
            await asyncio.sleep(LOOK_EVERY_S)  # to look costs what is looked at
            groups = [str(group[0]) for group in await admin.list_consumer_groups()]
            offsets = {group: await admin.list_consumer_group_offsets(group) for group in groups}
            read = {
                (g, tp): at.offset for g, of in offsets.items() for tp, at in of.items() if at.offset >= 0
            }
            ends = await ends_of(consumer, {tp for _, tp in read}) if upto is None else upto
            behind = {f"{g} {tp.topic} {tp.partition}": ends.get(tp, 0) - at for (g, tp), at in read.items()}
            return {where: count for where, count in behind.items() if count > 0}

        await until(waiting, lambda behind: not behind, within_s=within_s)
