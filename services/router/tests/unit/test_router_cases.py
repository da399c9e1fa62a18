"""How long a case is known: until it is closed, and then until nobody tells of it any more."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.events.contacts import CaseChanged
from garbo.router.domain.policy import Policy
from garbo.router.flow.events.case import CLOSED_KEPT_US
from services.router.tests.support.build import AT, PHONE, requested, text
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router

HOLD = (
    "id: hold, type: hold, state: case_open, cool_down: 1h, max: 7d, applies_to: { class: promo },"
    " on_hit: { defer: 30d }"
)
OLD = timedelta(days=8)
"""Longer than a case holds promo back."""


def case(memory: InMemoryStore, action: str, name: str = "old") -> CaseChanged:
    told = {"case_id": name, "client": "desk", "brand": "acme", "to": {"phone": PHONE}, "action": action}
    return CaseChanged.model_validate({**told, "occurred_at": memory.now, "recorded_at": memory.now})


async def test_care_stands_on_a_case_that_is_open_for_longer_than_promo_is_held(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(HOLD)
    await router.hear(case(memory, "opened"))
    memory.advance(OLD)
    await router.hear(case(memory, "opened", "another"), case(memory, "closed", "another"))
    (decision,) = await router.ask(requested(purpose="care", content=text()))
    assert (decision.message_class, decision.demoted) == ("care", False)


async def test_open_case_holds_by_the_policy_in_force_although_a_shorter_hold_let_go(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(HOLD)
    await router.hear(case(memory, "opened"))
    memory.advance(OLD)
    await router.hear(case(memory, "closed", "another"))
    router.policy = make_policy(HOLD.replace("7d", "20d"))
    (decision,) = await router.ask(requested())
    assert (decision.verdict, decision.next_allowed_at) == ("defer", AT + timedelta(days=20))


@pytest.mark.parametrize("told_again", [timedelta(days=7), timedelta(microseconds=CLOSED_KEPT_US - 1)])
async def test_old_case_that_was_closed_is_not_opened_by_its_opening_told_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], told_again: timedelta
) -> None:
    router.policy = make_policy(HOLD)
    opened = case(memory, "opened")
    await router.hear(opened)
    memory.advance(OLD)
    await router.hear(case(memory, "closed"))
    memory.advance(told_again)
    await router.hear(case(memory, "closed", "another"), opened)
    (decision,) = await router.ask(requested(purpose="care", content=text()))
    assert (decision.message_class, decision.demoted) == ("promo", True)
