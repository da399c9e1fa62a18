"""Scenarios 61, 62, 65 and 66: what a message is, whatever its name, and what no rule of promo touches."""

from datetime import timedelta
from typing import Any

import pytest

from garbo.common.events.platform import PlatformChange
from garbo.router.domain.decide import decide
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US
from garbo.router.domain.request import Body
from garbo.router.domain.state import Case, Stop
from garbo.router.domain.templates import TemplateCategory
from garbo.router.domain.values import replace
from services.router.tests.support.build import AT, requested, template
from services.router.tests.support.build_domain import (
    AUTH,
    FREE,
    JUNE_5,
    PROMO,
    ROME,
    UNKNOWN,
    UTILITY,
    a_request,
    a_state,
    at,
)
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.policies import CASE_HOLD, NIGHT, OPT_IN, STOPPED, WINDOW, MakePolicy
from services.router.tests.support.router import Router


def test_scenario_61_a_recategorised_template_is_promo_from_its_instant(make_policy: MakePolicy) -> None:
    template = TemplateCategory("w", "t", "it", "utility", 0, next_category="marketing", next_at_us=JUNE_5)
    for now_us, message_class in ((JUNE_5 - 1, "utility"), (JUNE_5, "promo")):
        body = Body(form="template", category=template.category_at(now_us) or "")
        decision = decide(make_policy(OPT_IN), a_state(), a_request(purpose="utility", body=body), now_us)
        assert decision.message_class == message_class
        assert decision.reclassified == (message_class == "promo")


@pytest.mark.parametrize(
    ("purpose", "body", "expected"),
    [
        ("care", PROMO, "promo"),
        ("promo", FREE, "promo"),
        ("care", FREE, "care"),
        ("care", UTILITY, "care"),
        ("care", UNKNOWN, "promo"),
        ("utility", UTILITY, "utility"),
        ("utility", FREE, "utility"),
        ("auth", AUTH, "auth"),
        ("promo", AUTH, "auth"),
        ("auth", FREE, "auth"),
        ("auth", UTILITY, "promo"),
    ],
)
def test_scenario_62_class_is_what_it_is_and_not_what_it_is_called(
    make_policy: MakePolicy, purpose: str, body: Body, expected: str
) -> None:
    state = a_state(inbound_at_us={"1001": JUNE_5})
    request = a_request(purpose=purpose, body=body, requested_at_us=JUNE_5)
    decision = decide(make_policy(WINDOW), state, request, JUNE_5)
    assert decision.message_class == expected
    assert decision.template_unknown == body.template_unknown
    known = body.form == "template" and not body.template_unknown and not decision.demoted
    assert decision.reclassified == (known and expected not in {purpose, "care"})


def test_scenario_65_a_promo_to_the_united_states_is_denied_and_one_to_canada_is_not(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(
        "id: us, type: block, state: always, applies_to: { class: promo, number_region: US }, hard: true"
    )
    american = decide(policy, a_state(), a_request(region="US"), JUNE_5)
    assert (american.verdict, american.reason, american.next_allowed_at_us) == ("deny", "blocked", None)
    for region in ("CA", "IT", None):
        assert decide(policy, a_state(), a_request(region=region), JUNE_5).verdict == "allow"


def test_scenario_66_a_code_at_night_reaches_a_stopped_person(make_policy: MakePolicy) -> None:
    night = at("2026-06-05T03:00+02:00")
    state = replace(ROME, stops={"acme": Stop(stopped_at_us=1)})
    request = a_request(purpose="auth", body=AUTH, requested_at_us=night)
    decision = decide(make_policy(STOPPED, OPT_IN, NIGHT), state, request, night)
    assert (decision.verdict, decision.message_class) == ("allow", "auth")
    assert decision.terms is not None
    assert decision.terms.valid_until_us == night + 10 * MINUTE_US


def test_scenario_66_a_recall_notice_passes_an_open_case(make_policy: MakePolicy) -> None:
    state = a_state(cases={"desk:1": Case(JUNE_5 - HOUR_US)})
    recall = a_request(purpose="utility", body=UTILITY)
    assert decide(make_policy(CASE_HOLD % "8d"), state, recall, JUNE_5).verdict == "allow"


def test_a_code_has_a_quarter_of_an_hour_at_most_and_goes_as_text_by_sms(make_policy: MakePolicy) -> None:
    policy = make_policy(WINDOW)
    code = a_request(purpose="auth", body=FREE, channel="sms", requested_at_us=JUNE_5)
    code = replace(code, expires_at_us=JUNE_5 + HOUR_US)
    decision = decide(policy, a_state(), code, JUNE_5)
    assert (decision.verdict, decision.message_class) == ("allow", "auth")
    assert decision.terms is not None
    assert decision.terms.window_until_us is None
    written = a_state(inbound_at_us={"1001": JUNE_5 - DAY_US + MINUTE_US})
    terms = decide(policy, written, code, JUNE_5).terms
    assert terms is not None
    assert (terms.window_until_us, terms.valid_until_us) == (None, JUNE_5 + 15 * MINUTE_US)
    assert decide(policy, a_state(), code, JUNE_5 + 15 * MINUTE_US).verdict == "allow", (
        "in time to the instant"
    )
    late = decide(policy, a_state(), code, JUNE_5 + 15 * MINUTE_US + 1)
    assert (late.verdict, late.reason) == ("deny", "expired")
    assert late.expires_at_us == JUNE_5 + 15 * MINUTE_US


@pytest.mark.parametrize(
    ("body", "expected"),
    [(FREE, "promo"), (UTILITY, "utility"), (PROMO, "promo")],
    ids=["free", "utility", "promo"],
)
def test_care_without_a_conversation_is_demoted(make_policy: MakePolicy, body: Body, expected: str) -> None:
    decision = decide(make_policy(OPT_IN), a_state(), a_request(purpose="care", body=body), JUNE_5)
    assert (decision.message_class, decision.demoted) == (expected, True)


def test_care_stands_when_it_answers_a_message_of_the_last_day(make_policy: MakePolicy) -> None:
    state = a_state(inbound=(("wamid.1", JUNE_5 - 23 * HOUR_US), ("wamid.0", JUNE_5 - 24 * HOUR_US)))
    answer = a_request(purpose="care", body=UTILITY, reply_to="wamid.1")
    assert decide(make_policy(OPT_IN), state, answer, JUNE_5).message_class == "care"
    stale = replace(answer, reply_to="wamid.0")
    assert decide(make_policy(OPT_IN), state, stale, JUNE_5).demoted


@pytest.mark.parametrize(
    ("case", "stands"),
    [(Case(1), True), (Case(1, brand="acme"), True), (Case(1, 2), False), (Case(1, brand="bolt"), False)],
)
def test_care_stands_while_a_case_of_the_brand_is_open(
    make_policy: MakePolicy, case: Case, stands: bool
) -> None:
    request = a_request(purpose="care", body=UTILITY)
    decision = decide(make_policy(OPT_IN), a_state(cases={"desk:1": case}), request, JUNE_5)
    assert decision.demoted is not stands


async def test_scenario_61_recategorised_template_is_promo_at_once_and_announced_from_its_instant(
    router: Router, memory: InMemoryStore
) -> None:
    def change(value: dict[str, Any]) -> PlatformChange:
        named = {"message_template_name": "shipped", "message_template_language": "it", **value}
        return PlatformChange(
            change_id="c", waba="9001", field="template_category_update", value=named, received_at=memory.now
        )

    async def message_class() -> str | None:
        return (await router.ask(requested(purpose="utility", content=template("shipped"))))[0].message_class

    assert await message_class() == "utility"
    from_second = int((AT + timedelta(days=1)).timestamp())
    announced = {"new_category": "UTILITY", "correct_category": "MARKETING"}
    await router.hear(change({**announced, "category_update_timestamp": from_second}))
    assert await message_class() == "utility"
    memory.advance(timedelta(days=1))
    assert await message_class() == "promo"
    memory.advance(timedelta(seconds=1))
    await router.hear(change({"previous_category": "MARKETING", "new_category": "UTILITY"}))
    assert await message_class() == "utility"
