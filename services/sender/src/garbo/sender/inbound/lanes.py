"""How events come in: two lanes of grants that do not wait for each other, statuses, erasures."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from garbo.common.events.erasure import ContactErased
from garbo.common.events.grants import SendGranted
from garbo.common.events.statuses import MessageStatus
from garbo.common.events.topics import CONTACT_ERASED, MESSAGE_STATUS, SEND_CARE, SEND_PROMO
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.sender.flow.erasure import Forget
from garbo.sender.flow.send_batch import BATCH_S
from garbo.sender.flow.send_grants import DeliveredGrant, SendGrants
from garbo.sender.flow.settlement import SettleAttempts

MOST_GRANTS: Final = 500
FEWEST_GRANTS: Final = 20


def grants_count(ceilings_per_s: Iterable[float]) -> int:
    """Size a batch so that it ends in time even when all of it is for the slowest number."""
    slowest = min(ceilings_per_s, default=1.0)
    return max(FEWEST_GRANTS, min(MOST_GRANTS, int(slowest * BATCH_S * 0.9)))


def lanes(
    send_grants: SendGrants, settle_attempts: SettleAttempts, forget: Forget, *, max_grants: int
) -> tuple[Lane[Any], ...]:
    """Give the sender's lanes."""

    async def send(batch: Sequence[Delivered[SendGranted]]) -> None:
        await send_grants.send([DeliveredGrant(record.event, record.trace) for record in batch])

    async def settle(batch: Sequence[Delivered[MessageStatus]]) -> None:
        await settle_attempts.settle([(record.event, record.trace) for record in batch])

    async def obey(batch: Sequence[Delivered[ContactErased]]) -> None:
        await forget.obey([record.event for record in batch])

    return (
        Lane("sender.care", (SEND_CARE,), send, max_records=max_grants),
        Lane("sender.promo", (SEND_PROMO,), send, max_records=max_grants),
        Lane("sender.statuses", (MESSAGE_STATUS,), settle),
        Lane("sender.erasures", (CONTACT_ERASED,), obey),
    )
