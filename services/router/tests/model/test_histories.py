"""The whole router against the oracle: Hypothesis finds and shrinks, dice give the volume.

`GARBO_HISTORIES=100000 .venv/bin/pytest services/router/tests/model -k dice` plays as many as one likes, and
`python -m services.router.tests.model.histories --help` does so without pytest.
"""

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.router.tests.model.cast import ERAS, SECOND_US, Wish
from services.router.tests.model.histories import CHUNK, compare_some, play_some
from services.router.tests.model.judge import judge, judge_end
from services.router.tests.model.plans import WRITTEN
from services.router.tests.model.world import World

HISTORIES = int(os.environ.get("GARBO_HISTORIES", "400"))
PROCESSES = 2

nth = st.integers(0, 20)
person = st.sampled_from((0, 1))
brand = st.sampled_from(("acme", "bolt"))
wishes = st.builds(
    Wish,
    person=person,
    kind=st.sampled_from(("promo", "utility", "auth", "care")),
    brand=brand,
    priority=st.sampled_from((50, 90)),
    campaign=st.sampled_from((None, "spring")),
    tag=st.sampled_from((None, "restock")),
    not_before_min=st.sampled_from((None, 5, 600)),
    expires_min=st.sampled_from((None, 30, 2000)),
)


class RouterMachine(RuleBasedStateMachine):
    """The router, its people, its sender and its clock."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World()

    def do(self, action: Coroutine[None, None, None]) -> None:
        self.loop.run_until_complete(action)

    @initialize(plan=st.integers(0, len(WRITTEN) + 200), era=st.integers(0, len(ERAS) - 1))
    def begin(self, plan: int, era: int) -> None:
        self.world = World(plan=plan, era=era)
        for someone in (0, 1):
            self.do(self.world.consent(someone, "acme", "given"))
            self.do(self.world.consent(someone, "acme", "confirmed"))

    @rule(asked=st.lists(wishes, min_size=1, max_size=4), crash=st.sampled_from(("no", "before", "after")))
    def ask(self, asked: list[Wish], crash: str) -> None:
        self.do(self.world.ask(asked, crash))

    @rule(n=nth)
    def ask_again(self, n: int) -> None:
        self.do(self.world.ask_again(n))

    @rule(n=nth)
    def claim(self, n: int) -> None:
        self.do(self.world.claim(n))

    @rule(n=nth, delay_s=st.integers(0, 44))
    def accept(self, n: int, delay_s: int) -> None:
        self.do(self.world.accept(n, delay_s))

    @rule(n=nth)
    def fail(self, n: int) -> None:
        self.do(self.world.fail(n))

    @rule(n=nth, arrived=st.booleans())
    def lose_answer(self, n: int, *, arrived: bool) -> None:
        self.do(self.world.lose_answer(n, arrived=arrived))

    @rule(n=nth, refused=st.booleans())
    def report(self, n: int, *, refused: bool) -> None:
        self.do(self.world.report(n, refused=refused))

    @rule(
        who=person, whom=brand, words=st.sampled_from(("hello", "STOP", "START")), late_min=st.integers(0, 9)
    )
    def write(self, who: int, whom: str, words: str, late_min: int) -> None:
        self.do(self.world.write(who, whom, words, late_min=late_min))

    @rule(who=person, whom=brand, action=st.sampled_from(("given", "confirmed", "withdrawn")))
    def consent(self, who: int, whom: str, action: str) -> None:
        self.do(self.world.consent(who, whom, action))

    @rule(who=person, whom=brand, name=st.sampled_from(("a", "b")))
    def case(self, who: int, whom: str, name: str) -> None:
        self.do(self.world.case(who, whom, name))

    @rule(who=person, zone=st.integers(0, 4))
    def move(self, who: int, zone: int) -> None:
        self.do(self.world.move(who, zone))

    @rule(n=nth)
    def hear_again(self, n: int) -> None:
        self.do(self.world.hear_again(n))

    @rule(minutes=st.integers(0, 3000))
    def step(self, minutes: int) -> None:
        self.do(self.world.step(minutes * 60 * SECOND_US))

    @rule(n=nth, before_us=st.sampled_from((0, 1)))
    def step_to(self, n: int, before_us: int) -> None:
        self.do(self.world.step_to(n, before_us=before_us))

    @rule(seconds=st.integers(-4000, 4000))
    def set_clock(self, seconds: int) -> None:
        self.do(self.world.set_clock(seconds * SECOND_US))

    @rule(plan=st.integers(0, len(WRITTEN) - 1))
    def change_policy(self, plan: int) -> None:
        self.do(self.world.change_policy(plan))

    @rule()
    def wake(self) -> None:
        self.do(self.world.wake())

    @rule()
    def reap(self) -> None:
        self.do(self.world.reap())

    @rule()
    def recheck(self) -> None:
        self.do(self.world.recheck())

    @invariant()
    def router_and_oracle_agree(self) -> None:
        judge(self.world)

    def teardown(self) -> None:
        try:
            judge_end(self.world)
        finally:
            self.loop.close()


RouterMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestRouterMachine = RouterMachine.TestCase


@pytest.mark.timeout(36_000)
def test_rules_agree_with_the_oracle_about_people_made_up_by_dice() -> None:
    compared, failed = compare_some(0, 2 * HISTORIES, 1)
    assert compared == 2 * HISTORIES
    assert not failed, f"seed {failed[0][0]} of {len(failed)} that failed:\n{failed[0][1]}"


@pytest.mark.timeout(36_000)
def test_histories_played_by_dice_agree_with_the_oracle() -> None:
    chunks = [(first, min(CHUNK, HISTORIES - first), 24) for first in range(0, HISTORIES, CHUNK)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        results = list(pool.map(play_some, *zip(*chunks, strict=True)))
    failed = [failure for _, some in results for failure in some]
    assert not failed, f"seed {failed[0][0]} of {len(failed)} that failed:\n{failed[0][1]}"
    assert sum(decisions for decisions, _ in results) > HISTORIES
