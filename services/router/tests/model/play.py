"""A history played by dice: the same actions as the state machine's, in any number and at speed."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final, TypeAlias

from services.router.tests.model.cast import ERAS, SECOND_US, Wish
from services.router.tests.model.judge import judge, judge_end
from services.router.tests.model.plans import WRITTEN
from services.router.tests.model.world import World

Action: TypeAlias = Callable[[World, Random, int], Awaitable[None]]
MINUTES: Final = (1, 20, 60, 300, 1440, 4000)


async def play(seed: int, *, steps: int = 24) -> World:
    """Play one history. Raises AssertionError where router and oracle differ."""
    dice = Random(seed)
    plan = dice.randrange(len(WRITTEN)) if dice.random() < 0.5 else dice.randrange(len(WRITTEN), 400)
    world = World(plan=plan, era=dice.randrange(len(ERAS)))
    for person in (0, 1):
        for brand in ("acme", "bolt"):
            if dice.random() < 0.85:
                await world.consent(person, brand, "given")
                await world.consent(person, brand, "confirmed")
    for _ in range(steps):
        await act(world, dice)
        judge(world)
    judge_end(world)
    return world


async def act(world: World, dice: Random) -> None:
    """Let one thing happen."""
    (action,) = dice.choices(_ACTIONS, _WEIGHTS)
    await action(world, dice, dice.randrange(100))


async def _ask(world: World, dice: Random, _: int) -> None:
    wishes = [wish(dice) for _ in range(dice.choice((1, 1, 2, 4)))]
    await world.ask(wishes, dice.choice(("no", "no", "no", "before", "after")))


async def _step(world: World, dice: Random, _: int) -> None:
    await world.step(dice.choice((1, 30 * SECOND_US, *(m * 60 * SECOND_US for m in MINUTES))))


async def _step_to(world: World, dice: Random, nth: int) -> None:
    await world.step_to(nth, before_us=dice.choice((0, 0, 1)))


async def _write(world: World, dice: Random, nth: int) -> None:
    words = dice.choice(("hello", "hello", "STOP", "START"))
    await world.write(_person(dice), _brand(dice), words, late_min=nth % 7)


async def _consent(world: World, dice: Random, _: int) -> None:
    await world.consent(_person(dice), _brand(dice), dice.choice(("given", "confirmed", "withdrawn")))


async def _change_policy(world: World, dice: Random, _: int) -> None:
    await world.change_policy(dice.randrange(len(WRITTEN)))


async def _set_clock(world: World, dice: Random, _: int) -> None:
    await world.set_clock(dice.choice((-1, -1, 1)) * dice.choice((1, 600, 3600)) * SECOND_US)


async def _case(world: World, dice: Random, nth: int) -> None:
    await world.case(_person(dice), _brand(dice), "ab"[nth % 2])


async def _move(world: World, dice: Random, nth: int) -> None:
    await world.move(_person(dice), nth)


async def settle(world: World, dice: Random, nth: int) -> None:
    """Let something come back from the platform."""
    match dice.choice(("accept", "accept", "accept", "fail", "lose", "report", "refuse")):
        case "accept":
            await world.accept(nth, dice.randrange(45))
        case "fail":
            await world.fail(nth)
        case "lose":
            await world.lose_answer(nth, arrived=nth % 2 == 0)
        case "report":
            await world.report(nth)
        case _:
            await world.report(nth, refused=True)


def wish(dice: Random) -> Wish:
    """Wish for something."""
    return Wish(
        person=dice.choice((0, 0, 1)),
        kind=dice.choice(("promo",) * 6 + ("utility", "auth", "care")),
        brand=dice.choice(("acme", "acme", "bolt")),
        priority=dice.choice((50, 50, 90, 10)),
        campaign=dice.choice((None, None, "spring", "autumn")),
        tag=dice.choice((None, None, None, "restock")),
        not_before_min=dice.choice((None, None, None, None, 5, 600)),
        expires_min=dice.choice((None, None, None, 30, 2000)),
    )


def _person(dice: Random) -> int:
    return dice.choice((0, 0, 1))


def _brand(dice: Random) -> str:
    return dice.choice(("acme", "acme", "bolt"))


async def _claim(world: World, _: Random, nth: int) -> None:
    await world.claim(nth)


async def _ask_again(world: World, _: Random, nth: int) -> None:
    await world.ask_again(nth)


async def _hear_again(world: World, _: Random, nth: int) -> None:
    await world.hear_again(nth)


async def _wake(world: World, _: Random, __: int) -> None:
    await world.wake()


async def _reap(world: World, _: Random, __: int) -> None:
    await world.reap()


async def _recheck(world: World, _: Random, __: int) -> None:
    await world.recheck()


_CHANCES: Final[dict[Action, int]] = {
    _ask: 30,
    _ask_again: 5,
    _claim: 18,
    settle: 16,
    _step: 14,
    _step_to: 10,
    _write: 5,
    _consent: 2,
    _hear_again: 3,
    _change_policy: 2,
    _set_clock: 1,
    _case: 3,
    _move: 1,
    _wake: 10,
    _reap: 3,
    _recheck: 3,
}
_ACTIONS, _WEIGHTS = tuple(_CHANCES), tuple(_CHANCES.values())
