"""What people write spends a part of a number's rate: the platform counts both ways together."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from garbo.common.events.inbound import InboundMessage
from garbo.sender.ports.rates import RateLeases

OF_LATE: Final = timedelta(seconds=2)
"""What was received before is past: after a pause nothing is spent for it."""


@dataclass(frozen=True, slots=True)
class CountInbound:
    """Counts what came in for our numbers."""

    leases: RateLeases
    is_ours: Callable[[str], bool]

    async def count(self, received: Sequence[InboundMessage]) -> None:
        """Count a batch; a batch that comes again is counted again, which only makes us slower."""
        since = datetime.now(UTC) - OF_LATE
        counts = Counter(
            one.number for one in received if self.is_ours(one.number) and one.received_at > since
        )
        if counts:
            await self.leases.count_inbound(counts)
