"""The row stays small, and forgets nothing a rule can still count."""

import dataclasses

from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.rules.cap import RateRule
from garbo.router.domain.rules.counting_windows import Lifetime
from garbo.router.domain.send_history import SURPLUS, pruned
from garbo.router.domain.state import RecipientState, Send, with_send
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import JUNE_5, a_state, message
from services.router.tests.support.policies import MakePolicy

WEEK = "id: week, type: cap, limit: 3, window: { rolling: 7d }, counts: { class: promo }"


def a_send(
    number: int, at_us: int, message_class: str = "promo", *, brand: str = "acme", campaign: str | None = None
) -> Send:
    return Send(message(number), at_us, message_class, brand, campaign)


def after(policy: Policy, sends: list[Send], *, since_us: int = 0) -> RecipientState:
    """Count sends one by one, each at its own instant, as decisions would."""
    state = a_state()
    for send in sends:
        state = pruned(policy, with_send(state, send), max(send.at_us, since_us))
    return state


def test_a_busy_persons_row_is_bounded_by_what_rules_count(make_policy: MakePolicy) -> None:
    policy = make_policy(WEEK)
    busy = [
        a_send(n, JUNE_5 + n * HOUR_US, ("care", "utility", "promo")[n % 3], brand=("acme", "bolt")[n % 2])
        for n in range(3_000)
    ]
    sends = after(policy, busy).sends
    assert len(sends) <= 2 * 3 * SURPLUS + (3 + SURPLUS) + 32
    assert [send.at_us for send in sends] == sorted(send.at_us for send in sends)
    newest = [send for send in busy if send.message_class == "promo"][-(3 + SURPLUS) :]
    assert set(newest) <= set(sends)


def test_a_cap_larger_than_the_surplus_keeps_all_it_counts(make_policy: MakePolicy) -> None:
    policy = make_policy(
        "id: flood, type: cap, limit: 200, window: { rolling: 30d }, counts: { class: utility }"
    )
    sends = [a_send(n, JUNE_5 + n * HOUR_US, "utility") for n in range(500)]
    assert set(sends[-200:]) <= set(after(policy, sends).sends)


def test_a_cap_for_each_campaign_keeps_the_sends_of_each(make_policy: MakePolicy) -> None:
    policy = make_policy(
        "id: once, type: cap, limit: 1, window: { rolling: 60d }, per: [recipient, campaign], counts: {}"
    )
    sends = [a_send(n, JUNE_5 + n * HOUR_US, campaign=f"c-{n}") for n in range(96)]
    assert set(after(policy, sends).sends) == set(sends)


def test_a_send_for_life_outlives_the_history(make_policy: MakePolicy) -> None:
    policy = make_policy(WEEK)
    week = policy.rules[0]
    assert isinstance(week, RateRule)
    policy = dataclasses.replace(policy, rules=(replace(week, window=Lifetime()),))
    old = a_send(1, JUNE_5 - 900 * DAY_US)
    kept = pruned(policy, a_state(sends=(old, a_send(2, JUNE_5 - 91 * DAY_US, "utility"))), JUNE_5)
    assert kept.sends == (old,)


def test_sends_stand_in_the_order_of_their_instants_and_once_each() -> None:
    state = a_state()
    for number, hours in ((1, 5), (2, 3), (3, 9), (2, 7), (1, 1)):
        state = with_send(state, a_send(number, JUNE_5 + hours * HOUR_US))
    assert [(send.message_id.int, (send.at_us - JUNE_5) // HOUR_US) for send in state.sends] == [
        (1, 1),
        (2, 7),
        (3, 9),
    ]


def test_nothing_to_forget_is_no_change(make_policy: MakePolicy) -> None:
    state = a_state(sends=(a_send(1, JUNE_5),))
    assert pruned(make_policy(WEEK), state, JUNE_5) is state
    assert pruned(dataclasses.replace(make_policy(WEEK), history_us=1), a_state(), JUNE_5).sends == ()
