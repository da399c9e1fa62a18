"""Read marks come in: a lane of their own, so that nothing waits for them."""

from collections.abc import Sequence
from typing import Any, Final

import structlog
from prometheus_client import Counter

from garbo.common.events.reads import ReadRequested
from garbo.common.events.topics import READ_REQUESTED
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.sender.flow.read_marks import MarkRead

MOST_MARKS: Final = 50
"""At once: each is told within seconds, or not at all."""
MARKS: Final = Counter("garbo_sender_read_marks", "Read marks asked for, by what became of them", ["outcome"])

log = structlog.get_logger()


def read_marks(mark_read: MarkRead) -> Lane[Any]:
    """Give the lane."""

    async def mark(batch: Sequence[Delivered[ReadRequested]]) -> None:
        told = await mark_read.mark([record.event for record in batch])
        for outcome, count in told.items():
            MARKS.labels(outcome).inc(count)
        log.info("read marks told", **{outcome: count for outcome, count in told.items() if count})

    return Lane("sender.reads", (READ_REQUESTED,), mark, max_records=MOST_MARKS)
