"""Consent: what a record changes, what confirms it, and the rule that asks for it."""

from collections.abc import Collection
from functools import lru_cache
from typing import ClassVar, Final, Literal

from garbo.router.domain.calendar import months_after
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.rules.rule import RuleResult, StandingRule
from garbo.router.domain.state import Consent, RecipientState
from garbo.router.domain.values import replace

MARKETING: Final = "marketing"
ANY: Final = "*"
CHANNEL: Final = "whatsapp"
CONFIRM_WITHIN_US: Final = 30 * DAY_US
"""An answer later than this to the question for an opt-in confirms nothing."""
_FIELDS: Final = {
    "requested": "requested_at_us",
    "given": "given_at_us",
    "imported": "imported_at_us",
    "confirmed": "confirmed_at_us",
    "answered": "answered_at_us",
    "withdrawn": "withdrawn_at_us",
    "expired": "withdrawn_at_us",
}
TAKES_BACK: Final = frozenset({"withdrawn", "expired"})


class ConsentRule(StandingRule, frozen=True):
    """Refuses without a consent that is recorded, strong and young enough."""

    type: ClassVar[str] = "consent"
    purpose: str
    level: Literal["single", "double"]
    max_age_us: int | None = None
    max_age_months: int | None = None
    """Calendar months in the person's zone, clamped to the month's end; one of the two, or none."""

    @property
    def reads_clock(self) -> bool:
        """Whether its answer rests on the rules of time zones."""
        return self.max_age_months is not None

    def evaluate(self, context: EvaluationContext, at_us: int) -> RuleResult:
        """Say whether consent is there, or why it is missing.

        `not_opted_in`, `opt_in_unconfirmed` or `consent_expired`. A withdrawal in the same microsecond wins.
        At exactly `max_age` consent has expired.
        """
        given_us, confirmed_us, withdrawn_us = newest_words(
            context.state, brand=context.subject.brand, purpose=self.purpose
        )
        best_us = confirmed_us if self.level == "double" else max(given_us, confirmed_us)
        if best_us <= withdrawn_us or best_us == 0:
            unconfirmed = self.level == "double" and given_us > withdrawn_us
            missing = "opt_in_unconfirmed" if unconfirmed else "not_opted_in"
            return RuleResult(self, ok=False, reason=missing)
        expires_us = self._expires_us(context, best_us)
        if expires_us is not None and at_us >= expires_us:
            return RuleResult(self, ok=False, reason="consent_expired")
        return RuleResult(self, ok=True)

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


def consent_key(*, brand: str, channel: str, purpose: str) -> str:
    """Name the place of a consent in the state."""
    return f"{brand}/{channel}/{purpose}"


def with_consent(state: RecipientState, *, key: str, action: str, at_us: int) -> RecipientState:
    """Take note of a consent record. The newest instant of each action stands, whatever the order."""
    field = _FIELDS[action]
    known = state.consents.get(key, Consent())
    newest = max(at_us, getattr(known, field) or 0)
    return replace(state, consents={**state.consents, key: replace(known, **{field: newest})})


def brands_taken_back(state: RecipientState) -> list[str]:
    """Name the brands (or `*`) whose marketing consent was withdrawn and not given again since."""
    taken_back: list[str] = []
    for brand in {key.partition("/")[0] for key in state.consents}:
        given_us, confirmed_us, withdrawn_us = newest_words(state, brand=brand, purpose=MARKETING)
        if withdrawn_us and withdrawn_us >= max(given_us, confirmed_us):
            taken_back.append(brand)
    return sorted(taken_back)


def with_confirmation(state: RecipientState, *, keys: Collection[str], at_us: int) -> RecipientState:
    """Confirm these consents, as the person themselves did at an instant."""
    for key in keys:
        state = with_consent(state, key=key, action="answered", at_us=at_us)
    return state


def without_overtaken(state: RecipientState, *, brand: str, at_us: int) -> RecipientState:
    """Take back what the person confirmed, now that a no is heard of between the request and their word."""
    for key in keys_of(brand, MARKETING):
        consent = state.consents.get(key)
        if consent is None or consent.requested_at_us is None or consent.answered_at_us is None:
            continue
        if consent.requested_at_us <= at_us <= consent.answered_at_us:
            undone = replace(consent, answered_at_us=None)
            state = replace(state, consents={**state.consents, key: undone})
    return state


def confirmable(state: RecipientState, *, brand: str, at_us: int) -> list[str]:
    """Name the consents that the person's own START at this instant confirms, for the first time or again.

    A marketing consent that was `requested` at most 30 days before, with no STOP and no withdrawal since.
    Without such a request nothing is confirmed: START alone fakes no double opt-in.
    """
    stopped_us = state.stops[brand].stopped_at_us if brand in state.stops else None
    return [
        key
        for key in keys_of(brand, MARKETING)
        if (consent := state.consents.get(key)) and _stands(consent, stopped_us, at_us=at_us)
    ]


def unanswered(state: RecipientState, keys: Collection[str]) -> list[str]:
    """Give those of the consents that were not confirmed since they were requested."""
    consents = ((key, state.consents[key]) for key in keys)
    return [key for key, c in consents if c.sure_at_us < (c.requested_at_us or 1)]


@lru_cache(maxsize=1_024)
def keys_of(brand: str, purpose: str) -> tuple[str, ...]:
    """Give every key whose consent holds for a brand on this channel."""
    return tuple(
        consent_key(brand=scope, channel=channel, purpose=purpose)
        for scope in (brand, ANY)
        for channel in (CHANNEL, ANY)
    )


def newest_words(state: RecipientState, *, brand: str, purpose: str) -> tuple[int, int, int]:
    """Give when consent was given, confirmed and withdrawn last; 0 for never."""
    given = confirmed = withdrawn = 0
    for key in keys_of(brand, purpose):
        consent = state.consents.get(key)
        if consent:
            given = max(given, consent.given_at_us or 0, consent.imported_at_us or 0)
            confirmed = max(confirmed, consent.sure_at_us)
            withdrawn = max(withdrawn, consent.withdrawn_at_us or 0)
    return given, confirmed, withdrawn


def _stands(consent: Consent, stopped_us: int | None, *, at_us: int) -> bool:
    """Say whether a request for confirmation stands at an instant: not too old, not overtaken by a no."""
    requested_us = consent.requested_at_us
    if requested_us is None or not requested_us <= at_us <= requested_us + CONFIRM_WITHIN_US:
        return False
    noes = (stopped_us, consent.withdrawn_at_us)
    return not any(no_us is not None and requested_us <= no_us <= at_us for no_us in noes)
