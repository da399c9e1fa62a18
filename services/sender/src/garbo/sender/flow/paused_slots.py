"""Slots for what is no message: a number that is paused has none."""

from dataclasses import dataclass
from typing import Final

from garbo.sender.flow.pauses import Pauses
from garbo.sender.flow.read_marks import SendSlots
from garbo.sender.ports.rates import Lease, NoLease

ASK_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SlotsUnlessPaused:
    """`SendSlots` of others, but for what is paused."""

    slots: SendSlots
    pauses: Pauses

    async def acquire(
        self, number: str, *, ceiling_per_s: float, wanted: int, ready_in_s: float
    ) -> Lease | NoLease:
        """Give none while the number's care may not leave, or while that is not known yet."""
        if not self.pauses.ready or self.pauses.stops(number, "care"):
            return NoLease(ASK_AGAIN_S)
        return await self.slots.acquire(
            number, ceiling_per_s=ceiling_per_s, wanted=wanted, ready_in_s=ready_in_s
        )
