"""Scenarios 51 and 52: the platform's own switch for promos, as strong as a STOP."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from garbo.router.domain.decide import decide
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Preference, Stop
from garbo.router.domain.values import replace
from services.router.tests.support.build import (
    AT,
    CARE_NUMBER,
    PROMO_NUMBER,
    consent,
    inbound,
    preference,
    requested,
    result,
    status,
)
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.in_memory import the_state
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import STOPPED, MakePolicy
from services.router.tests.support.router import Router


def test_scenario_51_the_platforms_stop_blocks_the_brand_or_its_number_alone(make_policy: MakePolicy) -> None:
    policy = make_policy(STOPPED)
    narrow = dataclasses.replace(policy, platform_stop="number")
    state = a_state(preferences={"1001": Preference("acme", stopped_at_us=5)})
    assert decide(policy, state, a_request(), JUNE_5).reason == "platform_stopped"
    assert decide(narrow, state, a_request(), JUNE_5).verdict == "allow"
    own = a_state(preferences={"1002": Preference("acme", stopped_at_us=5)})
    assert decide(narrow, own, a_request(), JUNE_5).reason == "platform_stopped"
    resumed = a_state(preferences={"1002": Preference("acme", 5, resumed_at_us=6)})
    assert decide(policy, resumed, a_request(), JUNE_5).verdict == "allow"
    said = replace(resumed, stops={"acme": Stop(stopped_at_us=1)})
    assert decide(policy, said, a_request(), JUNE_5).reason == "stopped"


async def test_scenario_51_platform_stop_reaches_the_brand_and_resume_lifts_that_only(
    router: Router, memory: InMemoryStore
) -> None:
    memory.advance(timedelta(hours=1))
    await router.hear(consent(), preference("stop"))
    by_number = [await router.ask(requested(number=n)) for n in (PROMO_NUMBER, CARE_NUMBER)]
    assert [d.reason for (d,) in by_number] == ["platform_stopped"] * 2
    await router.hear(preference("resume", at=AT + timedelta(seconds=1)))
    (allowed,) = await router.ask(requested())
    assert allowed.verdict == "allow"
    await router.hear(inbound("STOP", occurred_at=AT + timedelta(seconds=2)))
    await router.hear(preference("resume", at=AT + timedelta(seconds=3)))
    (refused,) = await router.ask(requested())
    assert refused.reason == "stopped", "a STOP of the person's own survives"


async def test_scenario_51_a_tie_is_a_stop_and_order_of_arrival_is_no_matter(router: Router) -> None:
    await router.hear(consent(), preference("resume"), preference("stop"))
    (refused,) = await router.ask(requested())
    assert refused.reason == "platform_stopped"


async def test_scenario_51_resume_creates_no_opt_in(router: Router) -> None:
    await router.hear(preference("resume"))
    (refused,) = await router.ask(requested())
    assert refused.reason == "not_opted_in"


async def test_scenario_51_platform_stop_can_be_held_to_its_number(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = dataclasses.replace(make_policy(STOPPED), platform_stop="number")
    promo, other = requested(number=PROMO_NUMBER), requested(number=CARE_NUMBER)
    await router.ask(promo, other)
    await router.hear(preference("stop"))
    last = {d.message_id: d.reason for d in router.decided}
    assert last == {promo.message_id: "revoked", other.message_id: "allowed"}


@pytest.mark.parametrize("told_by", ["status", "result"])
async def test_scenario_52_131050_is_the_same_as_a_platform_stop(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], told_by: str
) -> None:
    router.policy = make_policy(STOPPED)
    first, second = requested(), requested()
    await router.ask(first, second)
    granted = next(g for g in router.granted if g.message_id == first.message_id)
    failed: Any = (
        status(first.message_id, "failed", code=131050)
        if told_by == "status"
        else result(granted, "failed", code=131050)
    )
    if told_by == "status":
        await router.hear(result(granted, "accepted"))
    await router.hear(failed)
    await router.hear(failed)
    (evidence,) = memory.tables.evidence.values()
    assert (evidence.action, evidence.source, evidence.number) == ("withdrawn", "131050", PROMO_NUMBER)
    assert the_state(memory).sends == (), "refunded, and the other one called back"
    assert memory.tables.grants[second.message_id].state == "revoked"
    (refused,) = await router.ask(requested())
    assert refused.reason == "platform_stopped"
