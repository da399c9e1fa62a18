"""Scenario 50: START after STOP, in the same second, late and before, and what it is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Stop
from services.router.tests.support.build import AT, consent, inbound, requested
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.in_memory import asked_back, engaged
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import DOUBLE_OPT_IN, STOPPED, MakePolicy
from services.router.tests.support.router import Router


def test_scenario_50_stop_and_start_in_one_second_is_stopped(make_policy: MakePolicy) -> None:
    tie = a_state(stops={"acme": Stop(stopped_at_us=5, started_at_us=5)})
    later = a_state(stops={"acme": Stop(stopped_at_us=5, started_at_us=6)})
    assert decide(make_policy(STOPPED), tie, a_request(), JUNE_5).reason == "stopped"
    assert decide(make_policy(STOPPED), later, a_request(), JUNE_5).verdict == "allow"


async def test_scenario_50_late_stop_loses_to_a_later_start_and_start_gives_no_consent(
    router: Router,
) -> None:
    start = inbound("START", occurred_at=AT)
    await router.hear(start, inbound("STOP", occurred_at=AT - timedelta(minutes=1)))
    (decision,) = await router.ask(requested())
    assert decision.reason == "not_opted_in"
    assert [e.action for e in engaged(router)] == ["opted_in", "opted_out"]


async def test_scenario_50_stop_then_start_in_the_same_second_is_stopped(router: Router) -> None:
    await router.hear(consent(), inbound("STOP"), inbound("START"))
    (decision,) = await router.ask(requested())
    assert decision.reason == "stopped"


@pytest.mark.parametrize("asked_first", [True, False], ids=["asked", "never asked"])
async def test_scenario_50_start_fakes_no_double_opt_in(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], asked_first: bool
) -> None:
    router.policy = make_policy(STOPPED, DOUBLE_OPT_IN)
    await router.hear(consent("given"))
    if asked_first:
        await router.hear(consent("requested", occurred_at=AT - timedelta(hours=2)))
    start = inbound("START", occurred_at=AT - timedelta(hours=1))
    await router.hear(start)
    await router.hear(start)
    (decision,) = await router.ask(requested())
    assert decision.reason == ("allowed" if asked_first else "opt_in_unconfirmed")
    actions = sorted((e.action, e.actor) for e in memory.tables.evidence.values())
    confirmed = [("confirmed", "garbo")] if asked_first else []
    requested_ = [("requested", "crm")] if asked_first else []
    assert actions == [*confirmed, ("given", "crm"), ("given", "garbo"), *requested_]


async def test_scenario_50_a_stop_after_the_request_voids_it(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(STOPPED, DOUBLE_OPT_IN)
    await router.hear(consent("requested", occurred_at=AT - timedelta(hours=3)))
    await router.hear(inbound("STOP", occurred_at=AT - timedelta(hours=2)))
    await router.hear(inbound("START", occurred_at=AT - timedelta(hours=1)))
    (decision,) = await router.ask(requested())
    assert decision.reason == "not_opted_in"


async def test_a_new_stop_after_a_start_is_confirmed_again(router: Router, memory: InMemoryStore) -> None:
    memory.advance(timedelta(minutes=5))
    for minute, word in enumerate(("STOP", "START", "STOP")):
        await router.hear(inbound(word, occurred_at=AT + timedelta(minutes=minute)))
    assert len({reply.request_id for reply in asked_back(router)}) == 2
