"""Two holds no policy can leave out: the platform's own brake, and a question that waits for its answer."""

from typing import ClassVar, Final

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.rules.rule import TimedRule
from garbo.router.domain.selectors import Reach, Selector
from garbo.router.domain.state import RecipientState

_PROMO: Final = Selector((("message_class", frozenset({"promo"})),))
_COOLDOWN: Final = Reach("platform_cooldown", _PROMO)
_CLARIFYING: Final = Reach("clarifying", _PROMO)
PAUSES: Final = frozenset({_COOLDOWN.id, _CLARIFYING.id})
"""Names that no rule of a policy may have."""


class PauseRule(TimedRule, frozen=True):
    """Holds promo of a brand until an instant of the person's state. In the checks while it holds."""

    type: ClassVar[str] = "hold"
    in_files: ClassVar[bool] = False
    until_us: int

    @property
    def reason(self) -> str:
        """Its own name."""
        return self.reach.id

    def allowed_from_us(self, context: EvaluationContext, from_us: int) -> int | None:  # noqa: ARG002 - as all are asked
        """Give its end."""
        return max(from_us, self.until_us)


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
