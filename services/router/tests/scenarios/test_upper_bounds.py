"""What waits on an open send waits no longer than it must, and is never denied for good on a guess."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from garbo.common.events.decisions import DecisionMade
from garbo.router.domain.policy import Policy
from services.router.tests.support.build import AT, requested, result
from services.router.tests.support.in_memory import clock, last_of
from services.router.tests.support.jobs import Jobs

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
