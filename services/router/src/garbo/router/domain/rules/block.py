"""Blocks: what forbids promo whatever was consented to. Time alone lifts none of it."""

from typing import ClassVar, Literal

from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.policy_settings import PolicySettings
from garbo.router.domain.rules.consent import ANY, MARKETING, brands_taken_back, keys_of
from garbo.router.domain.rules.rule import RuleResult, StandingRule
from garbo.router.domain.state import Preference, RecipientState


class BlockRule(StandingRule, frozen=True):
    """Refuses while the person is in a state: erased, stopped; or always."""

    type: ClassVar[str] = "block"
    state: Literal["erased", "stopped", "always"]

    def evaluate(self, context: EvaluationContext, at_us: int) -> RuleResult:  # noqa: ARG002 - as all are asked
        """Say what blocks."""
        blocked: str | None = None
        match self.state:
            case "erased":
                blocked = "erased" if context.state.erased else None
            case "stopped":
                brand, number = context.subject.brand, context.subject.number
                blocked = promo_forbidden(context.policy, context.state, brand=brand, number=number)
            case "always":
                blocked = "blocked"
        return RuleResult(self, ok=blocked is None, reason=blocked or "allowed")


def promo_forbidden(policy: PolicySettings, state: RecipientState, *, brand: str, number: str) -> str | None:
    """Say what forbids promos of a brand by a number; None when nothing does.

    stopped            by the person's own word
    platform_stopped   by the platform's switch: its number and, unless the policy says otherwise, the brand
    suppressed         by a list that is newer than any opt-in
    """
    if state.stopped(brand):
        return "stopped"
    for its_number, preference in state.preferences.items():
        if _reaches(policy, preference, its_number, brand=brand, number=number):
            return "platform_stopped"
    return "suppressed" if suppressed(state, brand=brand) else None


def suppressed(state: RecipientState, *, brand: str) -> bool:
    """Say whether a list forbids promo: no opt-in or START is newer than it. An import is no opt-in."""
    if not state.suppressed:
        return False
    since_us = max(state.suppressed.get(scope, -1) for scope in (brand, ANY))
    if since_us < 0:
        return False
    stop = state.stops.get(brand)
    opted_in_us = (stop.started_at_us or 0) if stop else 0
    for key in keys_of(brand, MARKETING):
        if consent := state.consents.get(key):
            opted_in_us = max(opted_in_us, consent.given_at_us or 0, consent.sure_at_us)
    return opted_in_us <= since_us


def promo_blocked(state: RecipientState) -> tuple[str, ...]:
    """Name what a claimed promo must not be tried again for.

    Brands (or `*`) the person stopped, took consent back from, or is on a list for, or the platform's switch
    stops; as `brand/number` where that reaches its own number only. Of who is erased, all.
    """
    if state.erased:
        return (ANY,)
    if not (state.stops or state.preferences or state.suppressed or state.consents):
        return ()
    brands = [brand for brand, stop in state.stops.items() if stop.active]
    brands += [brand for brand in state.suppressed if suppressed(state, brand=brand)]
    switched_off = [
        p.brand if p.whole_brand else f"{p.brand}/{number}"
        for number, p in state.preferences.items()
        if p.stopped
    ]
    return tuple(sorted({*brands, *brands_taken_back(state), *switched_off}))


def _reaches(
    policy: PolicySettings, preference: Preference, its_number: str, *, brand: str, number: str
) -> bool:
    if not preference.stopped:
        return False
    return its_number == number or (policy.platform_stop == "brand" and preference.brand == brand)
