"""The sweep that judges all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.trailing import Excess, ledger_sends, over_cap


@pytest.mark.parametrize(
    ("instants", "limit", "excess"),
    [
        ([], 1, []),
        ([5, 15], 1, []),
        ([5, 14], 1, [Excess("p", 14, 2)]),
        ([1, 2, 3, 4], 3, [Excess("p", 4, 4)]),
        ([1, 2, 3, 11], 3, []),
        ([5, 5], 1, [Excess("p", 5, 2), Excess("p", 5, 2)][1:]),
    ],
    ids=["nobody", "leaves at the span exactly", "a moment early", "four", "slides", "at once"],
)
def test_window_is_open_behind_and_closed_ahead(
    instants: list[int], limit: int, excess: list[Excess]
) -> None:
    assert over_cap([("p", at) for at in instants], limit=limit, span_us=10) == excess


def test_people_are_counted_apart() -> None:
    assert not over_cap([("a", 1), ("b", 1)], limit=1, span_us=10)
    assert ledger_sends([{"recipient": "+39", "at_us": 7}]) == [("39", 7)]


@given(st.lists(st.integers(0, 60)), st.integers(1, 4), st.integers(1, 30))
def test_two_pointers_find_what_counting_at_every_instant_finds(
    instants: list[int], limit: int, span: int
) -> None:
    found = {
        (e.ends_at_us, e.count) for e in over_cap([("p", i) for i in instants], limit=limit, span_us=span)
    }
    worst = {end: sum(end - span < i <= end for i in instants) for end in range(61) if end in instants}
    assert {end for end, _ in found} == {end for end, count in worst.items() if count > limit}
    assert all((end, count) in found for end, count in worst.items() if count > limit)
