"""The decision beside the numbered scenarios: what is named, which number sends, how long an allow lasts."""

from typing import Any

from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.request import Numbers
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import (
    JUNE_5,
    UTILITY,
    a_request,
    a_state,
    at,
    message,
    sends_at,
)
from services.router.tests.support.policies import ONE_A_DAY, OPT_IN, MakePolicy


def test_first_hard_rule_in_file_order_is_named_and_the_instant_is_given_all_the_same(
    make_policy: MakePolicy,
) -> None:
    state = replace(a_state(sends=sends_at("2026-06-05T09:00Z")), consents={})
    decision = decide(make_policy(ONE_A_DAY, OPT_IN), state, a_request(), JUNE_5)
    assert decision.reason == "not_opted_in"
    assert decision.next_allowed_at_us == at("2026-06-06T09:00Z")


def test_what_is_expired_is_denied_and_what_is_early_waits(make_policy: MakePolicy) -> None:
    expired = decide(make_policy(OPT_IN), a_state(), a_request(expires_at_us=JUNE_5), JUNE_5 + 1)
    assert (expired.verdict, expired.reason) == ("deny", "expired")
    early = decide(make_policy(OPT_IN), a_state(), a_request(not_before_us=JUNE_5 + 1), JUNE_5)
    assert (early.verdict, early.reason, early.due_at_us) == ("defer", "not_before", JUNE_5 + 1)


def test_request_at_its_deadline_is_in_time_and_has_the_clocks_difference_to_leave(
    make_policy: MakePolicy,
) -> None:
    policy = make_policy(OPT_IN)
    decision = decide(policy, a_state(), a_request(expires_at_us=JUNE_5), JUNE_5)
    assert decision.terms is not None
    assert decision.terms.valid_until_us == JUNE_5 + policy.clock_skew_us


def test_grant_never_outlives_the_request(make_policy: MakePolicy) -> None:
    decision = decide(make_policy(OPT_IN), a_state(), a_request(expires_at_us=JUNE_5 + 7), JUNE_5)
    assert decision.terms is not None
    assert decision.terms.valid_until_us == JUNE_5 + 7


def test_number_is_the_asked_one_else_the_one_with_an_open_window_else_the_lane_default(
    make_policy: MakePolicy,
) -> None:
    def number(state: RecipientState, **more: Any) -> str:  # noqa: ANN401 - any field of a request
        decision = decide(make_policy(OPT_IN), state, a_request(**more), JUNE_5)
        assert decision.terms is not None
        return decision.terms.number

    writing = a_state(inbound_at_us={"1001": JUNE_5 - 1, "1002": JUNE_5 - DAY_US})
    assert number(a_state()) == "1002"
    assert number(a_state(), purpose="utility", body=UTILITY) == "1001"
    assert number(writing) == "1001"
    numbers = Numbers(asked="1002", all=("1001", "1002"), care_default="1001", promo_default="1002")
    assert number(writing, numbers=numbers) == "1002"


def test_erased_person_gets_nothing(make_policy: MakePolicy) -> None:
    policy = make_policy("id: erased, type: block, state: erased, hard: true")
    assert decide(policy, a_state(erased=True), a_request(), JUNE_5).reason == "erased"


def test_sends_beyond_history_are_forgotten(make_policy: MakePolicy) -> None:
    old = Send(message_id=message(1), at_us=JUNE_5 - 91 * DAY_US, message_class="promo", brand="acme")
    _, state = decide_and_count(make_policy(OPT_IN), a_state(sends=(old,)), a_request(2), JUNE_5)
    assert [send.message_id for send in state.sends] == [message(2)]
