"""The limits, each on its last good message and its first refused one."""

from random import Random
from statistics import median

import pytest
from pydantic import ValidationError

from garbo.simulator.graph.limits import (
    DAY_NS,
    PAIR_BURST,
    PAIR_EVERY_NS,
    PAIR_SLACK_NS,
    SECOND_NS,
    Pairs,
    PeopleOfDay,
    Windows,
    in_experiment,
    of_the_us,
)
from garbo.simulator.latency import Latency

PAIR = ("1001", "+393331234567")


def burst(pairs: Pairs, count: int, at_ns: int, *, paid_back: bool = False) -> int:
    """Send so many at one instant; how many went."""
    went = 0
    for _ in range(count):
        if not pairs.closed(PAIR, at_ns, paid_back=paid_back):
            pairs.note(PAIR, at_ns)
            went += 1
    return went


def test_45_at_once_and_then_one_each_6_seconds() -> None:
    pairs = Pairs()
    assert burst(pairs, 60, SECOND_NS) == PAIR_BURST
    assert not pairs.closed(("1002", PAIR[1]), SECOND_NS, paid_back=False)
    just_before = SECOND_NS + PAIR_EVERY_NS - PAIR_SLACK_NS - 1
    assert pairs.closed(PAIR, just_before, paid_back=False)
    assert burst(pairs, 3, SECOND_NS + PAIR_EVERY_NS) == 1
    assert burst(pairs, 60, SECOND_NS + 47 * PAIR_EVERY_NS) == PAIR_BURST


def test_what_was_borrowed_is_paid_back_before_the_next_where_meta_is_read_so() -> None:
    pairs = Pairs()
    assert burst(pairs, 20, SECOND_NS, paid_back=True) == 20
    assert burst(pairs, 5, SECOND_NS + 5 * SECOND_NS, paid_back=True) == 5
    assert pairs.closed(PAIR, SECOND_NS + 100 * SECOND_NS, paid_back=True)
    assert not pairs.closed(PAIR, SECOND_NS + 25 * PAIR_EVERY_NS, paid_back=True)


def test_a_pair_is_forgotten_once_there_are_many() -> None:
    pairs = Pairs()
    for n in range(200_001):
        pairs.note(("1001", str(n)), n)
    pairs.note(("1001", "late"), 10 * DAY_NS)
    assert len(pairs._paid) == 1


def test_people_of_a_rolling_day_are_counted_once() -> None:
    people = PeopleOfDay()
    assert [people.reach(person, 0, 2) for person in ("a", "b", "a", "c")] == [True, True, True, False]
    assert not people.reach("c", DAY_NS - 1, 2)
    assert people.reach("c", DAY_NS, 2)


def test_a_window_counts_what_is_inside_it() -> None:
    window = Windows(10)
    for at in (0, 5, 9):
        window.note("k", at)
    assert [window.count("k", at) for at in (9, 10, 15, 19)] == [3, 2, 1, 0]
    assert window.count("other", 0) == 0


@pytest.mark.parametrize(
    ("phone", "us"),
    [("+12125550123", True), ("+14165550123", False), ("+393331234567", False), ("US.1", False)],
)
def test_numbers_of_the_united_states_are_known(phone: str, us: bool) -> None:
    assert of_the_us(phone) == us


def test_the_same_people_are_in_the_experiment() -> None:
    chosen = [n for n in range(2000) if in_experiment("s", str(n), 0.01)]
    assert 5 < len(chosen) < 45
    assert chosen == [n for n in range(2000) if in_experiment("s", str(n), 0.01)]
    assert all(in_experiment("s", str(n), 0.5) for n in chosen)


@pytest.mark.parametrize(
    ("told", "least", "most", "middle"),
    [
        pytest.param({"ms": 40}, 0.04, 0.04, 0.04, id="constant"),
        pytest.param({"kind": "uniform", "ms": 10, "to_ms": 30}, 0.01, 0.03, 0.02, id="uniform"),
        pytest.param({"kind": "lognormal", "ms": 50, "sigma": 0.5}, 0.005, 0.5, 0.05, id="lognormal"),
        pytest.param({"ms": 1, "tail_ratio": 0.2, "tail_ms": 9000}, 0.001, 9, 0.001, id="with a tail"),
    ],
)
def test_latency_has_its_distribution(
    told: dict[str, object], least: float, most: float, middle: float
) -> None:
    latency = Latency.model_validate(told)
    drawn = [latency.drawn_s(random) for random in [Random(7)] for _ in range(2000)]
    assert min(drawn) >= least
    assert max(drawn) <= most
    assert median(drawn) == pytest.approx(middle, rel=0.1)
    if latency.tail_ratio:
        assert sum(one == 9 for one in drawn) == pytest.approx(400, rel=0.2)


def test_a_uniform_latency_needs_its_end() -> None:
    with pytest.raises(ValidationError):
        Latency(kind="uniform", ms=10)
