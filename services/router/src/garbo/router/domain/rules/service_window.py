"""The customer service window: free-form only for a while after the person's own message."""

from typing import ClassVar

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import NEVER_US
from garbo.router.domain.rules.rule import RuleResult, StandingRule


class WindowRule(StandingRule, frozen=True):
    """Refuses outside the customer service window: `open_us` from the person's last message to the number."""

    type: ClassVar[str] = "window"
    template_passes: ClassVar[bool] = True
    closes_to_the_instant: ClassVar[bool] = True
    open_us: int

    def evaluate(self, context: EvaluationContext, at_us: int) -> RuleResult:
        """Say whether the window is open."""
        is_open = at_us < self._end_us(context)
        return RuleResult(self, ok=is_open, reason="allowed" if is_open else "window_closed")

    def closes_at_us(self, context: EvaluationContext, *, after_us: int, until_us: int) -> int | None:
        """Give the window's end."""
        end_us = self._end_us(context)
        return end_us if after_us < end_us < until_us else None

    def _end_us(self, context: EvaluationContext) -> int:
        """Give the first instant at which free-form is no longer permitted; 0 when the person never wrote.

        The customer service window is the platform's alone: by SMS there is none to close.
        """
        if context.subject.channel == "sms":
            return NEVER_US
        opened_at_us = context.state.inbound_at_us.get(context.subject.number)
        return 0 if opened_at_us is None else opened_at_us + self.open_us
