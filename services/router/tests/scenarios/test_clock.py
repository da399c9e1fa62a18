"""Scenario 34: the database's clock goes wrong. Nobody passes early, and nobody is locked out for good."""

from collections.abc import Callable
from datetime import timedelta

from garbo.router.domain.policy import Policy
from services.router.tests.support.build import AT, consent, requested, result
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router

CAP = "id: c, type: cap, limit: 1, window: { rolling: 24h }"
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)


async def send_one(router: Router, memory: InMemoryStore) -> None:
    await router.hear(consent())
    await router.ask(requested())
    await router.hear(result(router.granted[-1], "accepted", recorded_at=memory.now))


async def test_scenario_34_clock_that_steps_back_an_hour_frees_no_slot_early(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CAP)
    await send_one(router, memory)
    memory.advance(-HOUR)
    for passes in (timedelta(0), HOUR, 24 * HOUR - MOMENT):
        memory.advance(passes)
        (waits,) = await router.ask(requested())
        assert (waits.verdict, waits.next_allowed_at) == ("defer", AT + 24 * HOUR)
    memory.advance(MOMENT)
    (again,) = await router.ask(requested(priority=90))
    assert (memory.now, again.verdict) == (AT + 24 * HOUR, "allow"), "the most urgent of those that wait"


async def test_scenario_34_clock_that_was_an_hour_ahead_for_a_while_locks_nobody_out_for_good(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CAP)
    memory.advance(HOUR)
    await send_one(router, memory)
    memory.advance(-HOUR)
    (waits,) = await router.ask(requested())
    assert (waits.verdict, waits.next_allowed_at) == ("defer", AT + 25 * HOUR)
    memory.advance(25 * HOUR)
    (again,) = await router.ask(requested(priority=90))
    assert again.verdict == "allow"
