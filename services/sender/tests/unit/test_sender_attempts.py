"""The attempt's life: small enough to walk through all of it."""

from itertools import product
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from garbo.sender.domain.attempts import LIVE, OPEN, AttemptState, Happening, advance

STATES: tuple[AttemptState, ...] = get_args(AttemptState)
HAPPENINGS: tuple[Happening, ...] = get_args(Happening)
YES = {"said_yes", "status_yes"}
NO = {"said_no", "status_no"}


def test_accepted_and_rejected_are_final() -> None:
    for state, happening in product(("accepted", "rejected"), HAPPENINGS):
        assert advance(state, happening) is None  # type: ignore[arg-type] # the product loses the literal


def test_whatever_was_open_is_decided_by_a_yes_or_a_no() -> None:
    for state, happening in product(sorted(OPEN), HAPPENINGS):
        after = advance(state, happening)
        if happening in YES:
            assert after == "accepted"
        elif happening in NO:
            assert after == "rejected"
        else:
            assert after == (None if state == "unknown" else "unknown")


def test_nothing_ever_becomes_dispatching_again() -> None:
    assert all(advance(s, h) != "dispatching" for s, h in product(STATES, HAPPENINGS))


@given(st.lists(st.sampled_from(HAPPENINGS), max_size=8))
def test_the_first_decision_stands_in_any_order_of_what_happens(happenings: list[Happening]) -> None:
    state: AttemptState = "dispatching"
    for happening in happenings:
        state = advance(state, happening) or state
    decisions = [h for h in happenings if h in YES | NO]
    if decisions:
        assert state == ("accepted" if decisions[0] in YES else "rejected")
    else:
        assert state == ("unknown" if happenings else "dispatching")
    assert (state in LIVE) == (state != "rejected")
