"""What waits on an open send waits no longer than it must, and is never denied for good on a guess."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from garbo.common.events.decisions import DecisionMade
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import AT, inbound, requested, result, text
from services.router.tests.support.in_memory import clock, last_of, memory_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.policies import WINDOW

ONE_IN_TEN_S: Final = (
    "id: c, type: cap, limit: 1, window: { rolling: 10s }, applies_to: { class: promo },"
    " counts: { class: promo }, on_hit: { defer: 48h }"
)
SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def capped(work: Jobs, make_policy: Callable[..., Policy]) -> Jobs:
    """A router that lets one promo go in ten seconds."""
    work.router.policy = make_policy(ONE_IN_TEN_S)
    return work


async def test_accepted_send_brings_forward_who_waits_for_it_in_the_order_they_asked(capped: Jobs) -> None:
    router, asked = capped.router, [requested(requested_at=AT + n * SECOND / 1000) for n in range(3)]
    await router.ask(*asked)
    assert [d.verdict for d in router.decided] == ["allow", "defer", "defer"]
    assert all(
        d.next_allowed_at and d.next_allowed_at > AT + timedelta(minutes=15) for d in router.decided[1:]
    )
    clock(capped, AT + SECOND)
    await router.hear(result(router.granted[-1], "accepted", recorded_at=AT + SECOND))
    assert await capped.retry(), "what waited for the bound is decided at once"
    again = last_of(router)
    assert [again[a.message_id].next_allowed_at for a in asked[1:]] == [AT + 11 * SECOND] * 2
    later = requested(requested_at=AT + 5 * SECOND)
    clock(capped, AT + 5 * SECOND)
    await router.ask(later)
    clock(capped, AT + 11 * SECOND)
    await capped.retry()
    verdicts = {m: d.verdict for m, d in last_of(router).items()}
    assert [verdicts[a.message_id] for a in (*asked, later)] == ["allow", "allow", "defer", "defer"]


@pytest.mark.parametrize("outcome", ["accepted", "failed", "not_sent"])
async def test_nothing_is_denied_for_good_while_the_bound_is_a_guess(capped: Jobs, outcome: str) -> None:
    router = capped.router
    short = requested(expires_at=AT + 60 * SECOND, requested_at=AT + SECOND / 1000)
    await router.ask(requested(priority=90), short)
    waiting = last_of(router)[short.message_id]
    assert (waiting.verdict, waiting.provisional) == ("defer", True)
    assert waiting.due_at == AT + 60 * SECOND, "at its end at the latest"
    clock(capped, AT + SECOND)
    await router.hear(result(router.granted[-1], outcome, reason="x", recorded_at=AT + SECOND))
    await capped.retry()
    clock(capped, AT + 12 * SECOND)
    await capped.retry()
    assert last_of(router)[short.message_id].verdict == "allow"


@pytest.mark.parametrize(("expires_s", "verdict"), [(11, "defer"), (10, "deny")])
async def test_deadline_at_the_very_instant_a_slot_frees_is_in_time(
    capped: Jobs, expires_s: int, verdict: str
) -> None:
    router = capped.router
    await router.ask(requested())
    clock(capped, AT + SECOND)
    await router.hear(result(router.granted[-1], "accepted", recorded_at=AT + SECOND))
    decision: DecisionMade
    (decision,) = await router.ask(requested(expires_at=AT + expires_s * SECOND))
    assert (decision.verdict, decision.provisional) == (verdict, False)


async def test_who_waits_for_a_bound_that_is_never_settled_is_denied_when_their_time_is_over(
    capped: Jobs,
) -> None:
    router = capped.router
    short = requested(expires_at=AT + 60 * SECOND, requested_at=AT + SECOND / 1000)
    await router.ask(requested(priority=90), short)
    clock(capped, AT + 61 * SECOND)
    await capped.retry()
    ended = last_of(router)[short.message_id]
    assert (ended.verdict, ended.reason) == ("deny", "expired")


async def held_a_slot_for_ten_seconds(capped: Jobs, **waiting: object) -> DecisionMade:
    """Let one promo be accepted at `AT`, and another one wait for the cap of ten seconds."""
    router = capped.router
    await router.ask(requested(priority=90))
    await router.hear(result(router.granted[-1], "accepted", recorded_at=AT))
    (decision,) = await router.ask(requested(requested_at=AT + SECOND / 1000, **waiting))
    assert (decision.verdict, decision.next_allowed_at) == ("defer", AT + 10 * SECOND)
    return decision


@pytest.mark.parametrize("late_s", [10, 11, 600])
async def test_who_asks_before_the_timer_fires_does_not_overtake_who_waits(capped: Jobs, late_s: int) -> None:
    waiting = await held_a_slot_for_ten_seconds(capped)
    clock(capped, AT + late_s * SECOND)
    later = requested(requested_at=AT + late_s * SECOND)
    await capped.router.ask(later)
    await capped.router.tell()
    last = last_of(capped.router)
    assert (last[waiting.message_id].verdict, last[later.message_id].verdict) == ("allow", "defer")


async def test_who_asks_later_and_is_more_urgent_goes_first(capped: Jobs) -> None:
    waiting = await held_a_slot_for_ten_seconds(capped)
    clock(capped, AT + 10 * SECOND)
    urgent = requested(requested_at=AT + 10 * SECOND, priority=90)
    await capped.router.ask(urgent)
    await capped.router.tell()
    last = last_of(capped.router)
    assert (last[waiting.message_id].verdict, last[urgent.message_id].verdict) == ("defer", "allow")


async def test_nobody_is_overtaken_under_a_policy_that_no_longer_holds_them(
    capped: Jobs, make_policy: Callable[..., Policy]
) -> None:
    waiting = await held_a_slot_for_ten_seconds(capped)
    capped.router.policy = make_policy(ONE_IN_TEN_S.replace("limit: 1", "limit: 2"))
    clock(capped, AT + SECOND)
    later = requested(requested_at=AT + SECOND)
    await capped.router.ask(later)
    await capped.router.tell()
    last = last_of(capped.router)
    assert (last[waiting.message_id].verdict, last[later.message_id].verdict) == ("allow", "defer")


async def test_who_waits_and_was_withdrawn_meanwhile_is_denied_and_holds_nobody_up(capped: Jobs) -> None:
    waiting = await held_a_slot_for_ten_seconds(capped, expires_at=AT + 12 * SECOND)
    clock(capped, AT + 13 * SECOND)
    later = requested(requested_at=AT + 13 * SECOND)
    await capped.router.ask(later)
    await capped.router.tell()
    last = last_of(capped.router)
    assert (last[waiting.message_id].reason, last[later.message_id].verdict) == ("expired", "allow")


async def test_repeat_of_a_request_wakes_nobody(capped: Jobs) -> None:
    router, first = capped.router, requested(priority=90)
    await router.ask(first)
    await router.hear(result(router.granted[-1], "accepted", recorded_at=AT))
    await router.ask(requested(requested_at=AT + SECOND / 1000))
    clock(capped, AT + 11 * SECOND)
    before = memory_of(capped).tables.copied()
    await router.ask(first)
    assert memory_of(capped).tables == before


async def test_window_that_closes_before_a_guess_denies_nobody(
    capped: Jobs, make_policy: Callable[..., Policy]
) -> None:
    care = ONE_IN_TEN_S.replace("promo", "care")
    capped.router.policy = make_policy(WINDOW, care)
    router = capped.router
    await router.hear(inbound("Ciao", occurred_at=AT - timedelta(hours=23, minutes=50), received_at=AT))
    words = {"purpose": "care", "content": text()}
    waiting = requested(requested_at=AT + SECOND / 1000, **words)
    await router.ask(requested(priority=90, **words), waiting)
    bound = last_of(router)[waiting.message_id]
    assert (bound.verdict, bound.provisional) == ("defer", True)
    assert bound.next_allowed_at
    assert bound.next_allowed_at > AT + timedelta(minutes=10), "the window is closed by then"
    clock(capped, AT + SECOND)
    await router.hear(result(router.granted[-1], "accepted", recorded_at=AT + SECOND))
    clock(capped, AT + 11 * SECOND)
    await capped.retry()
    assert last_of(router)[waiting.message_id].verdict == "allow"
