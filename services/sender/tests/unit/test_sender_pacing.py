"""Never above the ceiling, care first, promo not starved."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from garbo.sender.domain.pacing import LEASE_S, SPENT_RATIO, LaneShare, Metronome, Span, span_of

FOR_EVER = Span(0.0, math.inf)


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
)
def test_no_sliding_second_holds_more_than_the_ceiling_whatever_the_hiccups(
    rate: int, hiccups_s: list[float]
) -> None:
    metronome, now, left = Metronome(), 0.0, []
    for hiccup_s in hiccups_s:
        now += hiccup_s if hiccup_s > 0.35 else 0.0
        at = metronome.next(now=now, span=FOR_EVER, interval_s=1 / (SPENT_RATIO * rate))
        assert at is not None
        now = max(now, at)
        left.append(now)
    assert most_in_a_second(left) <= rate


@settings(max_examples=60)
@given(
    rate=st.sampled_from([1, 5, 20, 50, 80, 250]),
    late_s=st.lists(st.floats(0, 0.1), min_size=60, max_size=60),
    slow_answer_s=st.lists(st.floats(0, 0.05), min_size=60, max_size=60),
)
def test_replicas_that_take_turns_stay_below_the_ceiling_however_late_each_is(
    rate: int, late_s: list[float], slow_answer_s: list[float]
) -> None:
    spent = SPENT_RATIO * rate
    replicas, starts, left = (Metronome(), Metronome()), 0.0, list[float]()
    for turn, (late, slow) in enumerate(zip(late_s, slow_answer_s, strict=True)):
        count = max(1, math.floor(spent * LEASE_S))
        span = span_of(
            asked_at=starts - slow / 2, answered_at=starts + slow / 2, starts_in_s=0, length_s=count / spent
        )
        now = starts + slow / 2 + late
        for _ in range(count):
            at = replicas[turn % 2].next(now=now, span=span, interval_s=1 / spent)
            if at is None:
                break
            now = max(now, at)
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
