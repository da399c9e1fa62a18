"""Rules and instants for Hypothesis to draw from."""

from typing import Final, Literal

from hypothesis import strategies as st

from garbo.router.domain.instants import DAY_US, HOUR_US
from garbo.router.domain.rules.cap import CapRule, RateRule
from garbo.router.domain.rules.case_hold import HoldRule
from garbo.router.domain.rules.counting_windows import Calendar, Rolling, Window
from garbo.router.domain.rules.quiet_hours import QuietRule
from garbo.router.domain.rules.rule import Rule
from garbo.router.domain.selectors import Reach, Selector
from services.router.tests.support.build_domain import at

ZONE: Final = "Europe/Rome"
SUMMER_US: Final = at("2026-06-29T00:00+02:00")
PROMO_CLASS: Final = Selector((("message_class", frozenset({"promo"})),))


def _reach(name: int) -> Reach:
    return Reach(f"r{name}", PROMO_CLASS, max_defer_us=90 * DAY_US)


def _rate(name: int, limit: int, window: Window) -> RateRule:
    return CapRule(_reach(name), limit, window, PROMO_CLASS)


def _night(name: int, begin: int, end: int, days: frozenset[int]) -> QuietRule:
    return QuietRule(_reach(name), begin * HOUR_US, end * HOUR_US, days)


names = st.integers(0, 1_000_000)
units: st.SearchStrategy[Literal["day", "week", "month"]] = st.sampled_from(["day", "week", "month"])
rolling = st.integers(1, 48).map(lambda h: Rolling(h * HOUR_US, f"rolling {h}h"))
caps = st.builds(_rate, names, st.integers(1, 4), rolling | units.map(Calendar))
nights = st.builds(
    _night, names, st.integers(18, 23), st.integers(0, 10), st.frozensets(st.integers(0, 6), min_size=1)
)
holds = st.builds(
    lambda name, cool, most: HoldRule(_reach(name), cool * HOUR_US, most * HOUR_US),
    names,
    st.integers(1, 30),
    st.integers(1, 90),
)
rules: st.SearchStrategy[list[Rule]] = st.lists(caps | nights | holds, min_size=1, max_size=5)
starts = st.sampled_from([SUMMER_US, at("2026-03-27T00:00+01:00"), at("2026-10-23T00:00+02:00")])
