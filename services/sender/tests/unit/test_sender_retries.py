"""How long a number rests that was too fast: as the platform says, within bounds."""

import pytest

from garbo.sender.domain.outcomes import NotYet
from garbo.sender.domain.retries import LONGEST_REST_S, SLOW_DOWN_S, rest_s

SAID = {
    "nothing": (None, SLOW_DOWN_S),
    "zero": (0.0, SLOW_DOWN_S),
    "a_minute": (60.0, 60.0),
    "a_day": (86_400.0, LONGEST_REST_S),
    "for_ever": (float("inf"), LONGEST_REST_S),
}


@pytest.mark.parametrize(("said_s", "rests_s"), SAID.values(), ids=SAID.keys())
def test_what_the_platform_says_is_obeyed_within_bounds(said_s: float | None, rests_s: float) -> None:
    outcome = NotYet(130429, "number_throttled", slow_down=True, retry_after_s=said_s)
    assert rest_s(outcome, jitter=0.0) == rests_s
    assert rests_s < rest_s(outcome, jitter=1.0) <= rests_s + 1
