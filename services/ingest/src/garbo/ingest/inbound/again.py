"""What is to be read again: dead letters driven again, and the bodies of a span of time (`garbo replay`)."""

from collections.abc import Sequence
from typing import Final

from garbo.common.runtime.deliver import Delivered, Lane
from garbo.common.runtime.received import WHATSAPP_DOOR, received_at
from garbo.ingest.flow.webhooks import TakeWebhooks
from garbo.ingest.inbound.metrics import PARTS_AGAIN
from garbo.ingest.ports import ReceivedBody

MAX_BODIES: Final = 100


def again_lane(webhooks: TakeWebhooks) -> Lane[bytes]:
    """Consume as `ingest.again`: nothing but what comes through redrive."""

    async def handle(batch: Sequence[Delivered[bytes]]) -> None:
        bodies = [ReceivedBody(one.event, received_at(one.headers)) for one in batch]
        for kind, count in (await webhooks.take_again(bodies)).items():
            PARTS_AGAIN.labels(kind).inc(count)

    return Lane(
        group="ingest.again", topics=(), handle=handle, max_records=MAX_BODIES, doors={WHATSAPP_DOOR: bytes}
    )
