"""Scenario 63: an open case holds promo, until it is closed and cooled down, or forgotten."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from garbo.common.errors import Reject
from garbo.common.events.contacts import CaseChanged
from garbo.router.domain.decide import decide
from garbo.router.domain.instants import DAY_US, HOUR_US, to_us
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import Case
from garbo.router.flow.events.case import CLOSED_KEPT_US
from services.router.tests.support.build import AT, PHONE, case, consent, requested, text
from services.router.tests.support.build_domain import JUNE_5, a_request, a_state
from services.router.tests.support.in_memory import clock, last_of, state_of
from services.router.tests.support.jobs import Jobs
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import CASE_HOLD, ONE_A_WEEK, MakePolicy
from services.router.tests.support.router import Router

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOLD = (
    "id: hold, type: hold, state: case_open, cool_down: 1h, max: 7d, applies_to: { class: promo },"
    " on_hit: { defer: 30d }"
)
OLD = timedelta(days=8)
"""Longer than a case holds promo back."""


def told(memory: InMemoryStore, action: str, name: str = "old") -> CaseChanged:
    told = {"case_id": name, "client": "desk", "brand": "acme", "to": {"phone": PHONE}, "action": action}
    return CaseChanged.model_validate({**told, "occurred_at": memory.now, "recorded_at": memory.now})


@pytest.mark.parametrize(
    ("case", "free"),
    [
        (Case(JUNE_5 - HOUR_US), JUNE_5 - HOUR_US + 7 * DAY_US),
        (Case(JUNE_5 - HOUR_US, JUNE_5 - 1), JUNE_5 - 1 + DAY_US),
        (Case(JUNE_5 - 7 * DAY_US + 5, JUNE_5 - 1), JUNE_5 + 5),
        (Case(JUNE_5 - 7 * DAY_US), None),
        (Case(JUNE_5 - 2 * DAY_US, JUNE_5 - DAY_US), None),
        (Case(JUNE_5 - HOUR_US, brand="bolt"), None),
    ],
    ids=["open", "cooling down", "closed near its longest", "forgotten", "cooled down", "another brand's"],
)
def test_scenario_63_promo_waits_for_a_case_to_cool_down_or_be_forgotten(
    make_policy: MakePolicy, case: Case, free: int | None
) -> None:
    decision = decide(make_policy(CASE_HOLD % "8d"), a_state(cases={"desk:1": case}), a_request(), JUNE_5)
    assert decision.next_allowed_at_us == free
    assert (decision.verdict, decision.reason) == (("defer", "case_open") if free else ("allow", "allowed"))


def test_scenario_63_of_several_cases_the_last_counts(make_policy: MakePolicy) -> None:
    cases = {"desk:1": Case(JUNE_5 - HOUR_US, JUNE_5 - 1), "desk:2": Case(JUNE_5 - HOUR_US)}
    decision = decide(make_policy(CASE_HOLD % "8d"), a_state(cases=cases), a_request(), JUNE_5)
    assert decision.next_allowed_at_us == JUNE_5 - HOUR_US + 7 * DAY_US


async def test_scenario_63_a_case_takes_back_a_granted_promo_which_waits_for_its_end(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d", ONE_A_WEEK)
    promo = requested()
    await router.ask(promo)
    memory.advance(HOUR)
    opened = case("opened", AT + HOUR)
    await router.hear(opened)
    await router.hear(opened)
    held = last_of(router)[promo.message_id]
    assert (held.verdict, held.reason, held.sequence, held.final) == ("defer", "case_open", 2, False)
    assert held.next_allowed_at == AT + HOUR + 7 * DAY, "a forgotten case lets go after 7 days"
    assert memory.tables.grants[promo.message_id].state == "revoked"
    assert state_of(memory).sends == ()
    waiting = memory.tables.deferred[promo.message_id]
    assert waiting.due_at_us >= to_us(AT + HOUR + 7 * DAY)
    assert waiting.first_decided_at_us == to_us(AT)


async def test_scenario_63_closing_looks_at_what_waits_at_once_and_reopening_is_a_new_case(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d")
    await router.hear(case("opened"))
    promo = requested()
    (held,) = await router.ask(promo)
    assert held.next_allowed_at == AT + 7 * DAY
    memory.advance(HOUR)
    await router.hear(case("closed", AT + HOUR))
    assert memory.tables.deferred[promo.message_id].due_at_us == to_us(memory.now)
    (cooling,) = await router.ask(requested())
    assert cooling.next_allowed_at == AT + HOUR + DAY, "closed and the cool-down"
    memory.advance(HOUR)
    await router.hear(case("opened", AT + 2 * HOUR), case("opened", AT), case("closed", AT + HOUR))
    (again,) = await router.ask(requested())
    assert again.next_allowed_at == AT + 2 * HOUR + 7 * DAY


async def test_scenario_63_a_case_heard_of_by_its_end_first_is_closed(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d")
    memory.advance(2 * HOUR)
    await router.hear(case("closed", AT + HOUR), case("opened", AT))
    (cooling,) = await router.ask(requested())
    assert cooling.next_allowed_at == AT + HOUR + DAY


async def test_a_case_of_another_brand_holds_nothing(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(CASE_HOLD % "30d")
    await router.hear(case("opened", brand="bolt"))
    acme, bolt = requested(), requested(brand="bolt")
    decided = {d.message_id: d.verdict for d in await router.ask(acme, bolt)}
    assert decided == {acme.message_id: "allow", bolt.message_id: "defer"}


async def test_a_case_changes_nothing_where_no_rule_holds(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(ONE_A_WEEK)
    promo = requested()
    await router.ask(promo)
    await router.hear(case("opened"))
    assert memory.tables.grants[promo.message_id].state == "reserved"
    assert len(state_of(memory).sends) == 1


async def test_a_case_of_a_strange_client_or_brand_is_refused(router: Router) -> None:
    for more, why in (({"client": "nobody"}, "unknown_client"), ({"brand": "none"}, "unknown_brand")):
        with pytest.raises(Reject, match=why):
            await router.hear(case("opened", AT, **more))
    with pytest.raises(Reject, match="brand_not_allowed"):
        await router.hear(case("opened", client="desk", brand="bolt"))


async def test_scenario_63_promo_is_taken_back_by_a_case_and_goes_when_it_has_cooled_down(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(CASE_HOLD % "7d")
    (granted,) = await work.router.ask(requested())
    await work.router.hear(case("opened", AT))
    await work.publish()
    held = work.router.decided[-1]
    assert (held.message_id, held.verdict, held.sequence) == (granted.message_id, "defer", 2)
    assert held.next_allowed_at == AT + timedelta(days=7), "if nobody closes it"
    clock(work, AT + timedelta(hours=3))
    await work.router.hear(case("closed", AT + timedelta(hours=3)))
    assert await work.retry(), "an end that came nearer makes it due"
    assert work.router.decided[-1].next_allowed_at == AT + timedelta(hours=27)
    clock(work, AT + timedelta(hours=27) - timedelta(microseconds=1))
    assert not await work.retry()
    clock(work, AT + timedelta(hours=27))
    await work.retry()
    last = work.router.decided[-1]
    assert (last.message_id, last.verdict) == (granted.message_id, "allow")
    assert [g.epoch for g in work.router.granted] == [1, 2]


async def test_scenario_63_a_forgotten_case_lets_promo_go_at_its_longest(
    work: Jobs, make_policy: Callable[..., Policy]
) -> None:
    work.router.policy = make_policy(CASE_HOLD % "7d")
    await work.router.hear(case("opened", AT))
    (held,) = await work.router.ask(requested())
    assert (held.verdict, held.rule, held.next_allowed_at) == ("defer", "care-open", AT + timedelta(days=7))
    clock(work, AT + timedelta(days=7))
    await work.retry()
    assert (work.router.decided[-1].verdict, work.router.decided[-1].sequence) == ("allow", 2)


async def test_care_stands_on_a_case_that_is_open_for_longer_than_promo_is_held(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(HOLD)
    await router.hear(told(memory, "opened"))
    memory.advance(OLD)
    await router.hear(told(memory, "opened", "another"), told(memory, "closed", "another"))
    (decision,) = await router.ask(requested(purpose="care", content=text()))
    assert (decision.message_class, decision.demoted) == ("care", False)


async def test_open_case_holds_by_the_policy_in_force_although_a_shorter_hold_let_go(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    router.policy = make_policy(HOLD)
    await router.hear(told(memory, "opened"))
    memory.advance(OLD)
    await router.hear(told(memory, "closed", "another"))
    router.policy = make_policy(HOLD.replace("7d", "20d"))
    (decision,) = await router.ask(requested())
    assert (decision.verdict, decision.next_allowed_at) == ("defer", AT + timedelta(days=20))


@pytest.mark.parametrize("told_again", [timedelta(days=7), timedelta(microseconds=CLOSED_KEPT_US - 1)])
async def test_old_case_that_was_closed_is_not_opened_by_its_opening_told_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy], told_again: timedelta
) -> None:
    router.policy = make_policy(HOLD)
    opened = told(memory, "opened")
    await router.hear(opened)
    memory.advance(OLD)
    await router.hear(told(memory, "closed"))
    memory.advance(told_again)
    await router.hear(told(memory, "closed", "another"), opened)
    (decision,) = await router.ask(requested(purpose="care", content=text()))
    assert (decision.message_class, decision.demoted) == ("promo", True)


async def test_case_that_was_closed_long_ago_is_not_opened_by_the_old_word_told_again(
    router: Router, memory: InMemoryStore, make_policy: Callable[..., Policy]
) -> None:
    hold = "id: h, type: hold, state: case_open, cool_down: 1h, max: 7d, applies_to: { class: promo }"
    router.policy = make_policy(hold)
    await router.hear(consent())

    def case(action: str, name: str = "one") -> CaseChanged:
        told = {"case_id": name, "client": "desk", "brand": "acme", "to": {"phone": PHONE}, "action": action}
        return CaseChanged.model_validate({**told, "occurred_at": memory.now, "recorded_at": memory.now})

    opened = case("opened")
    await router.hear(opened)
    memory.advance(timedelta(hours=1))
    await router.hear(case("closed"))
    memory.advance(timedelta(hours=2))
    await router.hear(case("closed", "another"))
    memory.advance(timedelta(hours=2))
    await router.hear(opened)
    (decision,) = await router.ask(requested())
    assert decision.verdict == "allow"
