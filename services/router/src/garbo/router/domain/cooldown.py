"""The platform's own brake: a promo held back with 131049 means none of the brand for a while.

24 h, then 48 h, 96 h and 7 d while it repeats; a delivered promo in between begins anew.
"""

from typing import Final

from garbo.common.events.ids import MessageId
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.state import Cooldown, RecipientState
from garbo.router.domain.values import replace

STEPS_US: Final = (DAY_US, 2 * DAY_US, 4 * DAY_US, 7 * DAY_US)


def with_strike(state: RecipientState, *, brand: str, by: MessageId, at_us: int) -> RecipientState:
    """Take note that the platform held a promo back; the same promo counts once."""
    known = state.cooldowns.get(brand)
    if known is not None and known.by == by:
        return state
    strikes = (known.strikes if known else 0) + 1
    until_us = at_us + STEPS_US[min(strikes, len(STEPS_US)) - 1]
    struck = Cooldown(max(until_us, known.until_us if known else 0), strikes, by)
    return replace(state, cooldowns={**state.cooldowns, brand: struck})


def with_arrival(state: RecipientState, *, brand: str, at_us: int) -> RecipientState:
    """Take note that a promo was delivered: the next strike is a first one again. The wait itself stands."""
    known = state.cooldowns.get(brand)
    if known is None or known.strikes == 0 or at_us < _struck_at_us(known):
        return state
    return replace(state, cooldowns={**state.cooldowns, brand: replace(known, strikes=0)})


def _struck_at_us(cooldown: Cooldown) -> int:
    return cooldown.until_us - STEPS_US[min(cooldown.strikes, len(STEPS_US)) - 1]
