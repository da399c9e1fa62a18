"""How events come in: two lanes of grants that do not wait for each other, and the statuses."""

from collections.abc import Sequence
from typing import Any

from garbo.common.events.grants import SendGranted
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import MESSAGE_STATUS, SEND_CARE, SEND_PROMO
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.sender.flow.sending import Job, Sending
from garbo.sender.flow.settling import Settling

GRANTS_COUNT = 200
"""Enough for the fastest number's next moments; a larger batch only waits in memory."""


def lanes(sending: Sending, settling: Settling) -> tuple[Lane[Any], ...]:
    """Give the sender's lanes."""

    async def send(batch: Sequence[Delivered[SendGranted]]) -> None:
        await sending.send([Job(record.event, record.trace) for record in batch])

    async def settle(batch: Sequence[Delivered[MessageStatus]]) -> None:
        await settling.settle([(record.event, record.trace) for record in batch])

    return (
        Lane("sender.care", (SEND_CARE,), send, max_records=GRANTS_COUNT),
        Lane("sender.promo", (SEND_PROMO,), send, max_records=GRANTS_COUNT),
        Lane("sender.statuses", (MESSAGE_STATUS,), settle),
    )
