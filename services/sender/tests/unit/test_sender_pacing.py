"""Never above the ceiling, care first, promo not starved."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from garbo.sender.domain.pacing import (
    LEASE_S,
    SPENT_RATIO,
    LaneShare,
    Metronome,
    OtherClock,
    Span,
    catch_up_s,
)


def most_in_a_second(instants: list[float]) -> int:
    first = most = 0
    for last, at in enumerate(instants):
        while at - instants[first] > 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


@settings(max_examples=60)
@given(
    rate=st.sampled_from([1, 2, 5, 20, 50, 80, 250, 1000]),
    hiccups_s=st.lists(st.floats(0, 0.4), min_size=400, max_size=400),
    alone_s=st.sampled_from([0.0, 1.0]),
)
def test_no_sliding_second_holds_more_than_the_ceiling_whatever_the_hiccups(
    rate: int, hiccups_s: list[float], alone_s: float
) -> None:
    metronome, now, left = Metronome(), 0.0, []
    span = Span(0.0, math.inf, catch_up_s(1 / (SPENT_RATIO * rate), alone_s=alone_s))
    for hiccup_s in hiccups_s:
        now += hiccup_s if hiccup_s > 0.35 else 0.0
        at = metronome.next(now=now, span=span, interval_s=1 / (SPENT_RATIO * rate))
        assert at is not None
        metronome.take(at, 1 / (SPENT_RATIO * rate))
        now = max(now, at)
        left.append(now)
    assert most_in_a_second(left) <= rate


@settings(max_examples=100)
@given(
    rate=st.sampled_from([1, 5, 20, 50, 80, 250, 1000]),
    late_s=st.lists(st.floats(0, 0.1), min_size=60, max_size=60),
    slow_answer_s=st.lists(st.floats(0, 0.05), min_size=60, max_size=60),
    lag_s=st.lists(st.floats(0, 0.06), min_size=7, max_size=7),
    alone_s=st.sampled_from([0.0, 1.0]),
)
@example(rate=1, late_s=[0.021, *59 * [0.0]], slow_answer_s=60 * [0.0], lag_s=7 * [0.0], alone_s=0.0)
def test_replicas_that_take_turns_stay_below_the_ceiling_however_late_each_is(
    rate: int, late_s: list[float], slow_answer_s: list[float], lag_s: list[float], alone_s: float
) -> None:
    spent = SPENT_RATIO * rate
    replicas, starts, left = (Metronome(), Metronome()), 0.0, list[float]()
    clocks = (OtherClock(), OtherClock())
    for turn, (late, slow) in enumerate(zip(late_s, slow_answer_s, strict=True)):
        count = max(1, math.floor(spent * LEASE_S))
        clocks[turn % 2].learn(starts, asked_at=starts - slow / 2, answered_at=starts + slow / 2)
        allowed_s = catch_up_s(1 / spent, alone_s=alone_s)
        span = clocks[turn % 2].span(starts, count / spent, allowed_s)
        now = starts + slow / 2 + late
        for _ in range(count):
            at = replicas[turn % 2].next(now=now, span=span, interval_s=1 / spent)
            if at is None:
                break
            if at > now:  # it sleeps until then, or a little longer
                now = at + lag_s[len(left) % 7] * (len(left) % 97 == 0)
                at = replicas[turn % 2].next(now=now, span=span, interval_s=1 / spent)
                if at is None:
                    break
            replicas[turn % 2].take(at, 1 / spent)
            left.append(now)
        starts += count / spent
    assert most_in_a_second(sorted(left)) <= rate


def test_nobody_waits_nobody_is_chosen() -> None:
    assert LaneShare().choose(care=0, promo=0) is None


def test_care_goes_first() -> None:
    assert LaneShare().choose(care=1, promo=100) == ("care", 1)


def test_promo_has_all_that_care_leaves() -> None:
    assert LaneShare().choose(care=0, promo=100) == ("promo", 100)


@given(st.integers(1, 200))
def test_promo_gets_its_tenth_while_care_never_ends(lease: int) -> None:
    share, sent = LaneShare(), {"care": 0, "promo": 0}
    for _ in range(2000):
        chosen = share.choose(care=1000, promo=1000)
        assert chosen is not None
        lane, at_most = chosen
        count = min(lease, at_most)
        share.spent(lane, count, promo_waits=True)
        sent[lane] += count
    assert math.isclose(sent["promo"] / sum(sent.values()), 0.1, abs_tol=0.02)


def test_promo_saves_nothing_up_while_it_does_not_wait() -> None:
    share = LaneShare()
    share.spent("care", 1000, promo_waits=True)
    share.choose(care=10, promo=0)
    assert share.choose(care=10, promo=10) == ("care", 10)


def test_slow_answers_cost_no_place_once_the_clocks_are_known() -> None:
    ours_less_theirs, clock, metronome, left = 500.0, OtherClock(), Metronome(), 0
    for lease in range(100):
        begins = 10.0 + lease * 11 / 78.4
        asked_at = begins + ours_less_theirs - 0.05
        slow_s = 0.02 if lease % 10 else 0.001
        clock.learn(begins - 0.05 + slow_s / 2, asked_at=asked_at, answered_at=asked_at + slow_s)
        span, now = clock.span(begins, 11 / 78.4), asked_at + slow_s
        while (at := metronome.next(now=now, span=span, interval_s=1 / 78.4)) is not None:
            metronome.take(at, 1 / 78.4)
            now = max(now, at)
            left += 1
    assert left >= 0.997 * 1100


def test_a_clock_that_was_set_is_learnt_anew() -> None:
    clock = OtherClock()
    clock.learn(100.0, asked_at=0.0, answered_at=0.01)
    clock.learn(50.0, asked_at=1.0, answered_at=1.01)
    span = clock.span(50.0, 1.0)
    assert span.begins == pytest.approx(1.01)
    assert span.ends == pytest.approx(2.0)


@pytest.mark.parametrize("lag_s", [0.0, 0.005, 0.02, 0.03, 0.06, 0.2])
def test_a_loop_that_wakes_late_makes_no_burst_of_what_follows(lag_s: float) -> None:
    metronome, interval_s, now, left = Metronome(), 1 / 78.4, 0.0, list[float]()
    for n in range(300):
        at = metronome.next(now=now, span=Span(0.0, 100.0), interval_s=interval_s)
        assert at is not None
        if at > now:
            now = at + lag_s * (n == 100)
            at = metronome.next(now=now, span=Span(0.0, 100.0), interval_s=interval_s)
            assert at is not None
        metronome.take(at, interval_s)
        left.append(now)
    assert most_in_a_second(left) <= 80
    assert len(left) >= 299
    assert left[-1] <= 300 * interval_s + lag_s + 1e-6
