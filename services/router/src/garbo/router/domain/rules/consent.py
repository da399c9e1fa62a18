"""The rule of consent: whether what is recorded is there, strong and young enough."""

from typing import ClassVar, Literal

from garbo.router.domain.calendar import months_after
from garbo.router.domain.consent import newest_words
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.rules.rule import StandingRule


class ConsentRule(StandingRule, frozen=True):
    """Refuses without a consent that is recorded, strong and young enough."""

    types: ClassVar[tuple[str, ...]] = ("consent",)
    purpose: str
    level: Literal["single", "double"]
    max_age_us: int | None = None
    max_age_months: int | None = None
    """Calendar months in the person's zone, clamped to the month's end; one of the two, or none."""

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return self.max_age_months is not None

    def violation(self, context: EvaluationContext, at_us: int) -> str | None:
        """Say why consent is missing.

        `not_opted_in`, `opt_in_unconfirmed` or `consent_expired`. A withdrawal in the same microsecond wins.
        At exactly `max_age` consent has expired.
        """
        given_us, confirmed_us, withdrawn_us = newest_words(
            context.state, brand=context.subject.brand, purpose=self.purpose
        )
        best_us = confirmed_us if self.level == "double" else max(given_us, confirmed_us)
        if best_us <= withdrawn_us or best_us == 0:
            unconfirmed = self.level == "double" and given_us > withdrawn_us
            return "opt_in_unconfirmed" if unconfirmed else "not_opted_in"
        expires_us = self._expires_us(context, best_us)
        return "consent_expired" if expires_us is not None and at_us >= expires_us else None

    def closes_at_us(self, context: EvaluationContext, *, after_us: int, until_us: int) -> int | None:
        """Give the first instant at which the consent that is there is too old."""
        if self.max_age_us is None and self.max_age_months is None:
            return None
        given_us, confirmed_us, _ = newest_words(
            context.state, brand=context.subject.brand, purpose=self.purpose
        )
        best_us = confirmed_us if self.level == "double" else max(given_us, confirmed_us)
        expires_us = self._expires_us(context, best_us)
        return expires_us if expires_us is not None and after_us < expires_us < until_us else None

    def _expires_us(self, context: EvaluationContext, best_us: int) -> int | None:
        """At level double the age runs from the confirmation, else from the newest word."""
        if self.max_age_us is not None:
            return best_us + self.max_age_us
        if self.max_age_months is not None:
            return min(months_after(zone, best_us, self.max_age_months) for zone in context.subject.zones)
        return None
