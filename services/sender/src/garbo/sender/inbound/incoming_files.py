"""Files of customers come in: a lane of their own, so that nothing waits for them."""

from collections.abc import Sequence
from typing import Any

from garbo.common.events.engagement import CareMessage
from garbo.common.events.topics import CONVERSATION_CARE
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.sender.flow.incoming_files import WantFiles


def incoming_files(want_files: WantFiles) -> Lane[Any]:
    """Give the lane."""

    async def want(batch: Sequence[Delivered[CareMessage]]) -> None:
        await want_files.take([(record.event, record.trace) for record in batch])

    return Lane("sender.files", (CONVERSATION_CARE,), want)
