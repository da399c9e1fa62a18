"""A number that is paused sends nothing at all: read marks have no slot of it."""

import time

import pytest

from garbo.sender.domain.pauses import PauseOrder, ResumeOrder
from garbo.sender.flow.paused_slots import SlotsUnlessPaused
from garbo.sender.ports.rates import Lease, NoLease
from services.sender.tests.support.builders import NUMBER, OTHER_NUMBER
from services.sender.tests.support.fakes import MemoryRates
from services.sender.tests.support.running_sender import Sender

pytestmark = pytest.mark.integration


async def test_a_paused_number_has_no_slot_for_read_marks(sender: Sender) -> None:
    slots = SlotsUnlessPaused(MemoryRates(time.monotonic), sender.pauses)

    async def ask(number: str) -> Lease | NoLease:
        return await slots.acquire(number, ceiling_per_s=80, wanted=1, ready_in_s=0.0)

    await sender.pauses.order([PauseOrder("number", NUMBER, "operator", "stop", "ops")])
    assert isinstance(await ask(NUMBER), NoLease)
    assert isinstance(await ask(OTHER_NUMBER), Lease)
    await sender.pauses.order([ResumeOrder("number", NUMBER, ("operator",), "ops")])
    assert isinstance(await ask(NUMBER), Lease)
