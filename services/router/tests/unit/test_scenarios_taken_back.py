"""Scenarios of the platform's own switch and of consent taken back: as strong as a STOP."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState
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
    text,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import DOUBLE_OPT_IN, ONE_A_WEEK, OPT_IN, STOPPED
from services.router.tests.support.router import Router


def the_state(memory: InMemoryStore) -> RecipientState:
    (state,) = memory.tables.states.values()
    return state


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
    router.policy = replace(make_policy(STOPPED), platform_stop="number")
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


async def test_scenario_53_withdrawal_calls_back_what_is_granted_and_denies_what_waits(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(OPT_IN, ONE_A_WEEK)
    await router.hear(consent(brand="*"))
    granted, waits = requested(), requested()
    await router.ask(granted)
    await router.ask(waits)
    taken_back = consent("withdrawn", occurred_at=AT)
    await router.hear(taken_back)
    await router.hear(taken_back)
    last = {d.message_id: (d.reason, d.sequence) for d in router.decided}
    assert last == {granted.message_id: ("revoked", 2), waits.message_id: ("not_opted_in", 2)}
    assert not memory.tables.deferred
    (refused,) = await router.ask(requested())
    assert refused.reason == "not_opted_in"
    assert len(memory.tables.evidence) == 2


async def test_a_withdrawal_older_than_the_consent_takes_nothing_back(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(consent())
    promo = requested()
    await router.ask(promo)
    await router.hear(consent("withdrawn", occurred_at=AT - timedelta(days=2)))
    assert memory.tables.grants[promo.message_id].state == "reserved"


async def test_scenario_53_consent_to_care_is_none_to_marketing(router: Router) -> None:
    await router.hear(consent(purpose="care"), inbound())
    promo, care = requested(), requested(purpose="care", content=text())
    decided = {d.message_id: d.reason for d in await router.ask(promo, care)}
    assert decided == {promo.message_id: "not_opted_in", care.message_id: "allowed"}


async def test_scenario_54_imported_is_as_good_as_given_and_never_confirms(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    await router.hear(consent("imported"))
    router.policy = make_policy(OPT_IN)
    (allowed,) = await router.ask(requested())
    router.policy = make_policy(DOUBLE_OPT_IN)
    (refused,) = await router.ask(requested())
    assert (allowed.reason, refused.reason) == ("allowed", "opt_in_unconfirmed")


async def test_scenario_54_a_later_given_does_not_undo_confirmed_and_a_withdrawal_does(
    router: Router, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(DOUBLE_OPT_IN)
    day = timedelta(days=1)
    await router.hear(consent("confirmed", occurred_at=AT - 3 * day), consent(occurred_at=AT - 2 * day))
    (allowed,) = await router.ask(requested())
    await router.hear(consent("withdrawn", occurred_at=AT - day), consent(occurred_at=AT))
    (refused,) = await router.ask(requested())
    assert (allowed.reason, refused.reason) == ("allowed", "opt_in_unconfirmed")


@pytest.mark.parametrize(
    ("max_age", "ends"),
    [("24h", "2026-06-01T10:00:00Z"), ("1mo", "2026-06-01T10:00:00Z")],
    ids=["hours", "months"],
)
async def test_scenario_54_consent_ends_at_max_age_exactly(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], max_age: str, ends: str
) -> None:
    router.policy = make_policy(f"{OPT_IN}, max_age: {max_age}")
    end = datetime.fromisoformat(ends)
    given = end - timedelta(hours=24) if max_age == "24h" else end.replace(month=end.month - 1)
    await router.hear(consent(occurred_at=given))
    memory.now = end - timedelta(microseconds=1)
    (allowed,) = await router.ask(requested(requested_at=given))
    memory.now = end
    (refused,) = await router.ask(requested(requested_at=given))
    assert (allowed.reason, refused.reason) == ("allowed", "consent_expired")
