"""What must hold for every history: never over a cap, the least instant, nothing left to chance."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garbo.router.domain.calendar import day_of
from garbo.router.domain.decide import decide, decide_and_count, decide_prepared
from garbo.router.domain.decision import Decision
from garbo.router.domain.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.prepared_request import prepare
from garbo.router.domain.request import UNLIMITED, Request
from garbo.router.domain.rules.budget import BudgetRule
from garbo.router.domain.rules.cap import RateRule
from garbo.router.domain.rules.counting_windows import Calendar, Rolling
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.selectors import Reach
from garbo.router.domain.state import Case, Claims, RecipientState, Send, with_send
from garbo.router.domain.values import replace
from services.router.tests.support.build_domain import (
    AUTH,
    FREE,
    PROMO,
    UTILITY,
    a_request,
    a_state,
    at,
    in_zone,
    message,
)
from services.router.tests.support.policies import MakePolicy
from services.router.tests.support.strategies import (
    PROMO_CLASS,
    SUMMER_US,
    ZONE,
    _night,
    _rate,
    caps,
    holds,
    nights,
    rules,
    starts,
)

SETTINGS: Final = settings(max_examples=100, deadline=None)
Talks = list[tuple[int, int | None]]


@dataclass(frozen=True)
class Scene:
    """A person with a past, in minutes from a start, and an instant to ask at."""

    start_us: int
    sent: list[int]
    talked: Talks
    now: int

    @property
    def now_us(self) -> int:
        return self.start_us + self.now * MINUTE_US

    @property
    def person(self) -> RecipientState:
        return a_state(
            claims={"acme": Claims(zone=ZONE)},
            sends=tuple(
                Send(message(n), self.start_us + m * MINUTE_US, "promo", "acme", open=n % 3 == 0)
                for n, m in enumerate(sorted(self.sent), start=1000)
            ),
            cases={f"desk:{n}": self._case(*talk) for n, talk in enumerate(self.talked)},
        )

    def _case(self, opened: int, lasted: int | None) -> Case:
        opened_us = self.start_us + opened * MINUTE_US
        return Case(opened_us, None if lasted is None else opened_us + lasted * MINUTE_US)


scenes = st.builds(
    Scene,
    starts,
    st.lists(st.integers(0, 60 * 72), max_size=12),
    st.lists(st.tuples(st.integers(0, 60 * 72), st.none() | st.integers(0, 600)), max_size=2),
    st.integers(0, 60 * 72),
)
samples = st.floats(0, 1, exclude_max=True)


def policy_of(make_policy: MakePolicy, drawn: Sequence[Rule]) -> Policy:
    return dataclasses.replace(make_policy("id: erased, type: block, state: erased"), rules=tuple(drawn))


weekly = st.lists(nights | holds | caps.filter(lambda cap: cap.window != Calendar("month")), min_size=1)
steps = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 944)), max_size=40)


def _most_at_once(rule: RateRule, accepted: list[int]) -> int:
    match rule.window:
        case Rolling(span_us=span_us):
            return max((sum(end - span_us < a <= end for a in accepted) for end in accepted), default=0)
        case Calendar(unit="day"):
            days = [day_of(ZONE, a) for a in accepted]
            return max((days.count(day) for day in days), default=0)
        case _:
            return 0


def _walked(
    policy: Policy, state: RecipientState, requests: list[tuple[Request, int]], *, erase_contacts: bool
) -> list[tuple[Decision, RecipientState]]:
    told: list[tuple[Decision, RecipientState]] = []
    sends: tuple[Send, ...] = ()
    for request, now_us in requests:
        decision, state = decide_and_count(policy, state, request, now_us)
        told.append((decision, state))
        if not erase_contacts:
            sends = (*sends, *(send for send in state.sends if send.message_id == request.message_id))
            state = replace(state, sends=sends)
    return told


bodies = st.sampled_from([PROMO, UTILITY, AUTH, FREE])
purposes = st.sampled_from(["promo", "utility", "care", "auth"])
requests = st.builds(
    lambda number, purpose, body, fallback, reply_to, campaign: a_request(
        number, purpose=purpose, body=body, fallback=fallback, reply_to=reply_to, campaign=campaign
    ),
    st.integers(1, 900),
    purposes,
    bodies,
    st.none() | bodies,
    st.none() | st.sampled_from(["wamid.1", "wamid.2"]),
    st.none() | st.just("june"),
)


@SETTINGS
@given(drawn=rules, scene=scenes, sample=samples)
def test_next_allowed_at_is_permitted_by_every_rule_and_no_earlier_instant_is(
    make_policy: MakePolicy, drawn: list[Rule], scene: Scene, sample: float
) -> None:
    policy, state, now_us = policy_of(make_policy, drawn), scene.person, scene.now_us
    decision = decide(policy, state, a_request(), now_us)
    if decision.verdict == "allow":
        assert all(answer.ok for answer in decision.results)
        return
    next_us = decision.next_allowed_at_us
    assert next_us is not None
    assert decide(policy, state, a_request(), next_us).verdict == "allow"
    for earlier_us in (now_us, now_us + int((next_us - now_us) * sample), next_us - 1):
        assert not all(answer.ok for answer in decide(policy, state, a_request(), earlier_us).results)


@SETTINGS
@given(drawn=rules, added=rules, scene=scenes)
def test_adding_a_rule_never_makes_an_answer_earlier(
    make_policy: MakePolicy, drawn: list[Rule], added: list[Rule], scene: Scene
) -> None:
    fewer = decide(policy_of(make_policy, drawn), scene.person, a_request(), scene.now_us)
    more = decide(policy_of(make_policy, drawn + added), scene.person, a_request(), scene.now_us)
    if fewer.verdict != "allow":
        assert more.verdict != "allow"
    if more.next_allowed_at_us is not None:
        assert more.next_allowed_at_us >= (fewer.next_allowed_at_us or scene.now_us)


@SETTINGS
@given(drawn=weekly, scene=scenes, weeks=st.integers(1, 8))
def test_whole_weeks_later_the_answer_is_whole_weeks_later(
    make_policy: MakePolicy, drawn: list[Rule], scene: Scene, weeks: int
) -> None:
    policy, shift_us = policy_of(make_policy, drawn), weeks * 7 * DAY_US
    summer = dataclasses.replace(scene, start_us=SUMMER_US)
    shifted = dataclasses.replace(scene, start_us=SUMMER_US + shift_us)
    first, later = (decide(policy, s.person, a_request(), s.now_us) for s in (summer, shifted))
    assert (first.verdict, first.reason) == (later.verdict, later.reason)
    if first.next_allowed_at_us is not None:
        assert later.next_allowed_at_us == first.next_allowed_at_us + shift_us


@SETTINGS
@given(drawn=st.lists(caps | nights, min_size=1, max_size=4), start_us=starts, walk=steps)
def test_accepted_sends_never_exceed_a_cap_in_any_window(
    make_policy: MakePolicy, drawn: list[RateRule | QuietRule], start_us: int, walk: list[tuple[int, int]]
) -> None:
    """Each allow is accepted some seconds after it was granted; the sweep looks at those instants alone."""
    policy, state, now_us = policy_of(make_policy, drawn), in_zone(a_state(), ZONE), start_us
    accepted: list[int] = []
    for n, (wait_minutes, delay_s) in enumerate(walk):
        now_us += wait_minutes * MINUTE_US
        decision, state = decide_and_count(policy, state, a_request(n), now_us)
        if decision.terms is not None:
            accept_us = min(now_us + delay_s * SECOND_US, decision.terms.latest_accept_us)
            accepted.append(accept_us)
            if n % 3:  # a third stays open, as if the answer never came
                state = with_send(state, Send(message(n), accept_us, "promo", "acme"))
    for rule in drawn:
        if isinstance(rule, RateRule):
            assert _most_at_once(rule, sorted(accepted)) <= rule.limit


@SETTINGS
@given(drawn=rules, scene=scenes, sample=samples)
def test_no_rule_closes_while_a_lease_lasts(
    make_policy: MakePolicy, drawn: list[Rule], scene: Scene, sample: float
) -> None:
    policy, state, now_us = policy_of(make_policy, drawn), scene.person, scene.now_us
    terms = decide(policy, state, a_request(), now_us).terms
    if terms is None:
        return
    assert now_us < terms.valid_until_us <= now_us + policy.lease_us
    for later_us in (now_us + int((terms.valid_until_us - now_us) * sample), terms.valid_until_us - 1):
        assert decide(policy, state, a_request(), later_us).verdict == "allow"


@settings(max_examples=30, deadline=None)
@given(drawn=rules, start_us=starts, gaps=st.lists(st.integers(0, 60 * 24), min_size=40, max_size=80))
def test_a_replay_is_identical_and_forgetting_changes_no_decision(
    make_policy: MakePolicy, drawn: list[Rule], start_us: int, gaps: list[int]
) -> None:
    policy, now_us = dataclasses.replace(policy_of(make_policy, drawn), history_us=31 * DAY_US), start_us
    requests: list[tuple[Request, int]] = []
    for n, gap in enumerate(gaps):
        now_us += gap * MINUTE_US
        requests.append((a_request(n, campaign=f"c-{n % 5}"), now_us))
    told = _walked(policy, in_zone(a_state(), ZONE), requests, erase_contacts=True)
    assert told == _walked(policy, in_zone(a_state(), ZONE), requests, erase_contacts=True)
    remembered = _walked(policy, in_zone(a_state(), ZONE), requests, erase_contacts=False)
    assert [decision for decision, _ in told] == [decision for decision, _ in remembered]


@SETTINGS
@given(
    drawn=rules, scene=scenes, asked=requests, others=st.lists(requests, max_size=8), wrote=st.integers(0, 72)
)
def test_what_is_prepared_before_others_are_granted_is_what_would_be_prepared_after(
    make_policy: MakePolicy,
    drawn: list[Rule],
    scene: Scene,
    asked: Request,
    others: list[Request],
    wrote: int,
) -> None:
    """No grant to the same person changes class, number, zones or rules of a request."""
    budget = BudgetRule(Reach("total", PROMO_CLASS), 1_000, "portfolio")
    policy, now_us = policy_of(make_policy, [*drawn, budget]), scene.now_us
    wrote_us = now_us - wrote * HOUR_US
    before = replace(
        scene.person, inbound_at_us={"1001": wrote_us}, inbound=(("wamid.1", wrote_us), ("wamid.2", wrote_us))
    )
    asked, state = replace(asked, budget_left=UNLIMITED), before
    prepared = prepare(policy, before, asked, now_us)
    for other in others:
        _, state = decide_and_count(policy, state, replace(other, budget_left=UNLIMITED), now_us)
    assert prepared == prepare(policy, state, asked, now_us)
    assert decide_prepared(prepared, state) == decide(policy, state, asked, now_us)


@SETTINGS
@given(drawn=rules, scene=scenes)
def test_promo_rules_never_hold_up_utility(make_policy: MakePolicy, drawn: list[Rule], scene: Scene) -> None:
    request = a_request(purpose="utility", body=UTILITY)
    assert decide(policy_of(make_policy, drawn), scene.person, request, scene.now_us).verdict == "allow"


@pytest.mark.parametrize("instant", [-(1 << 62), 0, at("9999-12-31T23:59Z"), 1 << 62])
def test_an_absurd_instant_has_an_answer_too(make_policy: MakePolicy, instant: int) -> None:
    drawn: list[Rule] = [
        _rate(1, 1, Calendar("month")),
        _night(2, 21, 9, frozenset(range(7))),
        _rate(3, 1, Rolling(DAY_US, "rolling 1d")),
    ]
    state = Scene(SUMMER_US, [0], [(5, None)], 0).person
    for request in (a_request(), a_request(not_before_us=instant)):
        assert decide(policy_of(make_policy, drawn), state, request, SUMMER_US).verdict in (
            "allow",
            "defer",
            "deny",
        )
        assert decide(policy_of(make_policy, drawn), state, request, instant).verdict in (
            "allow",
            "defer",
            "deny",
        )
