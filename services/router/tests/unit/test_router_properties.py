"""What must hold for every history: never over the cap, and an instant that is the least."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from garbo.router.domain.decide import decide, decide_and_count
from garbo.router.domain.instants import HOUR_US, MINUTE_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import RecipientState, Send, with_send
from garbo.router.testing.build_domain import UTILITY, a_request, a_state, message

MakePolicy = Callable[..., Policy]
START_US = 1_780_000_000_000_000
COUNTED = "applies_to: { class: promo }, counts: { class: promo }"

limits = st.integers(1, 4)
hours = st.integers(1, 48)
rules = st.lists(st.tuples(st.sampled_from(["cap", "gap"]), limits, hours), min_size=1, max_size=4)
minutes = st.lists(st.integers(0, 60 * 72), max_size=12)


def written(drawn: list[tuple[str, int, int]]) -> list[str]:
    return [
        f"id: r{n}, type: cap, limit: {limit}, window: {{ rolling: {span}h }}, {COUNTED}"
        if kind == "cap"
        else f"id: r{n}, type: gap, min: {span}h, {COUNTED}"
        for n, (kind, limit, span) in enumerate(drawn)
    ]


def history(instants: list[int]) -> RecipientState:
    return a_state(
        sends=tuple(
            Send(message_id=message(n), at_us=START_US + m * MINUTE_US, message_class="promo", brand="acme")
            for n, m in enumerate(sorted(instants), start=1000)
        )
    )


@settings(max_examples=150, deadline=None)
@given(drawn=rules, steps=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 944)), max_size=40))
def test_accepted_sends_never_exceed_a_cap_in_any_window(
    make_policy: MakePolicy, drawn: list[tuple[str, int, int]], steps: list[tuple[int, int]]
) -> None:
    """Each allow is accepted some seconds after it was granted; the sweep looks at those instants alone."""
    policy, state, now_us = make_policy(*written(drawn)), a_state(), START_US
    accepted: list[int] = []
    for n, (wait_minutes, delay_s) in enumerate(steps):
        now_us += wait_minutes * MINUTE_US
        decision, state = decide_and_count(policy, state, a_request(n), now_us)
        if decision.verdict == "allow":
            at_us = now_us + delay_s * 1_000_000
            accepted.append(at_us)
            if n % 3:  # a third stays open, as if the answer never came
                send = state.send_of(message(n))
                assert send is not None
                state = with_send(state, Send(message(n), at_us, "promo", "acme"))
    accepted.sort()
    for kind, limit, span in drawn:
        most = limit if kind == "cap" else 1
        for end_us in accepted:
            assert sum(end_us - span * HOUR_US < a <= end_us for a in accepted) <= most


@settings(max_examples=150, deadline=None)
@given(drawn=rules, instants=minutes, now=st.integers(0, 60 * 72), sample=st.floats(0, 1, exclude_max=True))
def test_next_allowed_at_is_permitted_by_every_rule_and_no_earlier_instant_is(
    make_policy: MakePolicy, drawn: list[tuple[str, int, int]], instants: list[int], now: int, sample: float
) -> None:
    policy, state, now_us = make_policy(*written(drawn)), history(instants), START_US + now * MINUTE_US
    decision = decide(policy, state, a_request(), now_us)
    if decision.verdict == "allow":
        return
    next_us = decision.next_allowed_at_us
    assert next_us is not None
    assert decide(policy, state, a_request(), next_us).verdict == "allow"
    assert decide(policy, state, a_request(), next_us - 1).verdict != "allow"
    earlier_us = now_us + int((next_us - now_us) * sample)
    assert decide(policy, state, a_request(), earlier_us).verdict != "allow"


@settings(max_examples=150, deadline=None)
@given(drawn=rules, added=rules, instants=minutes, now=st.integers(0, 60 * 72))
def test_adding_a_rule_never_makes_an_answer_earlier(
    make_policy: MakePolicy,
    drawn: list[tuple[str, int, int]],
    added: list[tuple[str, int, int]],
    instants: list[int],
    now: int,
) -> None:
    state, now_us = history(instants), START_US + now * MINUTE_US
    fewer = decide(make_policy(*written(drawn)), state, a_request(), now_us)
    more = decide(make_policy(*written(drawn + added)), state, a_request(), now_us)
    assert (more.next_allowed_at_us or now_us) >= (fewer.next_allowed_at_us or now_us)
    if fewer.verdict != "allow":
        assert more.verdict != "allow"


@settings(max_examples=50, deadline=None)
@given(drawn=rules, instants=minutes, now=st.integers(0, 60 * 72))
def test_promo_rules_never_hold_up_utility(
    make_policy: MakePolicy, drawn: list[tuple[str, int, int]], instants: list[int], now: int
) -> None:
    request = a_request(purpose="utility", body=UTILITY)
    decision = decide(make_policy(*written(drawn)), history(instants), request, START_US + now * MINUTE_US)
    assert decision.verdict == "allow"
