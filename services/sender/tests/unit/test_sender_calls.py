"""A claimed send leaves at once or not at all: after a STOP nothing may leave later than a second."""

import asyncio
import time
from datetime import timedelta

from garbo.sender.domain.deadlines import CALL_BUDGET, LEAVE_WITHIN, SEND_BUDGET
from garbo.sender.domain.outcomes import NotYet
from garbo.sender.domain.pacing import Metronome, Span
from garbo.sender.flow.calls import Call, Calls, Countdown
from garbo.sender.flow.pacer import Pacer, Slots
from garbo.sender.ports import PlannedAttempt
from services.sender.tests.support.builders import NUMBER, a_grant
from services.sender.tests.support.fakes import (
    ListedResults,
    MemoryRates,
    QuietSpan,
    QuietTelemetry,
    ScriptedWhatsApp,
)
from services.sender.tests.support.memory import MemoryAttempts


async def test_a_send_that_lost_its_place_is_given_back_within_a_second() -> None:
    rates, attempts, whatsapp = MemoryRates(time.monotonic), MemoryAttempts(), ScriptedWhatsApp()
    rates.tat[NUMBER] = time.monotonic() + 3600
    pacer = Pacer(rates, ceilings_per_s={NUMBER: 80}, now=time.monotonic)
    calls = Calls(
        attempts=attempts,
        results=ListedResults(),
        whatsapp=whatsapp,
        pacer=pacer,
        telemetry=QuietTelemetry(),
        now=time.monotonic,
    )
    grants = [a_grant(lane="promo"), a_grant(lane="promo")]
    await attempts.begin([PlannedAttempt(grant, 1, again=False, traceparent=None) for grant in grants])
    over = Slots(2, Span(0.0, 0.0), 0.01, Metronome(), time.monotonic)
    begun = time.monotonic()
    async with asyncio.timeout(10):
        made = await calls.make(
            [Call(grant, 1, QuietSpan()) for grant in grants], over, Countdown(0.1, asyncio.Event())
        )
    assert list(made.values()) == [NotYet(None, "turn_lost")] * 2
    assert timedelta(seconds=time.monotonic() - begun) < 2 * LEAVE_WITHIN
    assert whatsapp.posted == []
    assert {row.state for row in attempts.attempts.values()} == {"rejected"}


def test_waiting_and_calling_together_stay_within_what_the_router_counts_on() -> None:
    assert LEAVE_WITHIN + CALL_BUDGET <= SEND_BUDGET == timedelta(seconds=45)
