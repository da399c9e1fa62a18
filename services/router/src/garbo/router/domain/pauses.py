"""Two holds no policy can leave out: the platform's own brake, and a question that waits for its answer."""

from dataclasses import dataclass
from typing import ClassVar, Final

from garbo.router.domain.selectors import Reach, Selector
from garbo.router.domain.state import RecipientState


@dataclass(frozen=True, slots=True)
class PauseRule:
    """Holds promo of a brand until an instant of the person's state. In the checks while it holds."""

    reads_clock: ClassVar[bool] = False
    reach: Reach
    until_us: int


_PROMO: Final = Selector((("message_class", frozenset({"promo"})),))
_COOLDOWN: Final = Reach("platform_cooldown", _PROMO)
_CLARIFYING: Final = Reach("clarifying", _PROMO)


def pauses_of(state: RecipientState, *, brand: str, at_us: int) -> tuple[PauseRule, ...]:
    """Give the pauses that hold promo of a brand at an instant.

    platform_cooldown   the platform held a promo back (131049): none for a while
    clarifying          a word of the person may have meant STOP, and they were asked
    """
    cooldown, question = state.cooldowns.get(brand), state.questions.get(brand)
    pauses: tuple[PauseRule, ...] = ()
    if cooldown is not None and cooldown.until_us > at_us:
        pauses = (PauseRule(_COOLDOWN, cooldown.until_us),)
    if question is not None and question.until_us > at_us:
        pauses = (*pauses, PauseRule(_CLARIFYING, question.until_us))
    return pauses
