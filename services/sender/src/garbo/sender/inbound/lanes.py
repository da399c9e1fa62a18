"""How events come in: two lanes of grants that do not wait for each other, statuses, changes, erasures."""

from collections.abc import Sequence
from typing import Any, Final

from garbo.common.events.decisions import Lane as SendLane
from garbo.common.events.erasure import ContactErased
from garbo.common.events.grants import SendGranted
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.platform import PlatformChange
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import (
    CONTACT_ERASED,
    INBOUND_MESSAGE,
    MESSAGE_STATUS,
    PLATFORM_CHANGE,
    SEND_CARE,
    SEND_PROMO,
)
from garbo.common.runtime.deliver import Delivered, Deliveries, Lane
from garbo.sender.flow.erasure import Forget
from garbo.sender.flow.inbound_count import CountInbound
from garbo.sender.flow.platform_changes import ObeyPlatform
from garbo.sender.flow.settlement import SettleAttempts
from garbo.sender.flow.take_grants import DeliveredGrant, TakeGrants

CARE: Final = "sender.care"
PROMO: Final = "sender.promo"

MOST_GRANTS: Final = 100
"""A batch is kept in some milliseconds."""


def lanes(
    take_grants: TakeGrants,
    settle_attempts: SettleAttempts,
    count_inbound: CountInbound,
    forget: Forget,
    platform: ObeyPlatform,
) -> tuple[Lane[Any], ...]:
    """Give the sender's lanes."""

    async def take(batch: Sequence[Delivered[SendGranted]]) -> None:
        await take_grants.take([DeliveredGrant(one.event, one.partition, one.trace) for one in batch])

    async def settle(batch: Sequence[Delivered[MessageStatus]]) -> None:
        await settle_attempts.settle([(record.event, record.trace) for record in batch])
        platform.pauses.note_statuses([record.event for record in batch])

    async def count(batch: Sequence[Delivered[InboundMessage]]) -> None:
        await count_inbound.count([record.event for record in batch])

    async def obey(batch: Sequence[Delivered[ContactErased]]) -> None:
        await forget.obey([record.event for record in batch])

    async def change(batch: Sequence[Delivered[PlatformChange]]) -> None:
        await platform.obey([record.event for record in batch])

    return (
        Lane(CARE, (SEND_CARE,), take, max_records=MOST_GRANTS),
        Lane(PROMO, (SEND_PROMO,), take, max_records=MOST_GRANTS),
        Lane("sender.statuses", (MESSAGE_STATUS,), settle),
        Lane("sender.inbound", (INBOUND_MESSAGE,), count),
        Lane("sender.erasures", (CONTACT_ERASED,), obey),
        Lane("sender.pauses", (PLATFORM_CHANGE,), change),
    )


class AssignedShards:
    """Which partitions of its topic each lane is assigned; none before the lanes are wired."""

    def __init__(self) -> None:
        self.deliveries: Deliveries | None = None

    def __call__(self, lane: SendLane) -> frozenset[int]:
        """Ask the group's member."""
        group, topic = (CARE, SEND_CARE) if lane == "care" else (PROMO, SEND_PROMO)
        return self.deliveries.partitions(group, topic.name) if self.deliveries else frozenset()
