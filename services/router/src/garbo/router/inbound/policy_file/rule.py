"""What every rule of the file has: its name, whom it touches, and what a hit means."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from garbo.router.domain.instants import DAY_US
from garbo.router.domain.rules.platform_pause import PAUSES
from garbo.router.domain.rules.registry import RULES
from garbo.router.domain.rules.rule import Rule, TimedRule
from garbo.router.domain.selectors import Reach
from garbo.router.inbound.policy_file.fields import (
    AnyWords,
    LongSpan,
    Maybe,
    Mend,
    Model,
    Name,
    Span,
    wrong,
    wrong_at,
)
from garbo.router.inbound.policy_file.selectors import AppliesTo

WEEK_US: Final = 7 * DAY_US
_KINDS: Final = {kind.type: kind for kind in RULES if kind.in_files}


def _unreserved(name: str) -> str:
    if name in PAUSES:
        raise wrong("is the name of a check of the router's own: choose another")
    return name


class Defer(Model):
    """Wait, this long at most from the first decision."""

    defer: LongSpan
    """The longest wait."""


class Fallback(Model):
    """Send the fallback template instead."""

    fallback: Literal["template"]


BY_SHAPE: Final = Discriminator(lambda value: "<mapping>" if isinstance(value, dict | Model) else "<word>")
"""Reads what is a word or a mapping as one of the two, so that only its faults are told."""
Denies: TypeAlias = Annotated[Literal["deny"], Mend("must be deny, or left out")]
Defers: TypeAlias = Annotated[
    Annotated[Literal["deny"], Mend("must be deny, or { defer: 48h }"), Tag("<word>")]
    | Annotated[Defer, Tag("<mapping>")],
    BY_SHAPE,
]
FallsBack: TypeAlias = Annotated[
    Annotated[Literal["deny"], Mend("must be deny, or { fallback: template }"), Tag("<word>")]
    | Annotated[Fallback, Tag("<mapping>")],
    BY_SHAPE,
]


class RuleModel(Model):
    """One rule. Each kind adds its own fields, and says which rule of the policy it is."""

    id: Annotated[Name, AfterValidator(_unreserved)]
    """What decisions call it."""
    type: str
    applies_to: AppliesTo = AppliesTo()
    """Whom it touches; everybody, where it says nothing."""
    exempt: Maybe[AppliesTo] = Field(default=None, alias="except")
    """And whom it does not."""
    on_hit: object = "deny"
    """deny: waiting does not help."""
    hard: bool = False
    """Nobody passes it over, and nobody waits for it."""
    overridable_by: AnyWords = frozenset()
    """Roles of clients that may pass it over."""

    @field_validator("on_hit", mode="before")
    @classmethod
    def _helps(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - as it stands in the file
        asked, word = value if isinstance(value, dict) else {}, info.data["type"]
        if "fallback" in asked and not _KINDS[word].template_passes:
            raise wrong_at("fallback", mend="is for window rules: use deny, or { defer: 48h }")
        if "defer" in asked and not issubclass(_KINDS[word], TimedRule):
            raise wrong_at("defer", mend=f"does not help: no time passes a {word} rule; remove on_hit")
        return value

    @field_validator("overridable_by")
    @classmethod
    def _not_hard(cls, roles: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        if roles and info.data.get("hard"):
            raise wrong("stands beside hard, which nobody may pass: remove one of them")
        return roles

    def to_rule(self, reach: Reach, zone: str) -> Rule:
        """Give the rule a policy asks, in an envelope; `zone` is the policy's own."""
        raise NotImplementedError

    @property
    def reach(self) -> Reach:
        """The envelope every rule has."""
        defer = self.on_hit.defer if isinstance(self.on_hit, Defer) else None
        return Reach(
            id=self.id,
            applies_to=self.applies_to.to_selector(),
            exempt=self.exempt.to_selector() if self.exempt else None,
            on_hit="defer" if defer else "deny",
            max_defer_us=defer.us if defer else None,
            hard=self.hard,
            overridable_by=self.overridable_by,
        )

    @property
    def guards_promo(self) -> Literal["consent", "stop"] | None:
        """What it asks of a person before promo reaches them."""
        return None

    @property
    def closed_us(self) -> Sequence[tuple[int, int]]:
        """The spans of a plain week it is closed by the wall clock, in microseconds since Monday 00:00."""
        return ()


class TimedRuleModel(RuleModel):
    """A rule that time satisfies."""

    on_hit: Defers = Defer(defer=Span("72h"))
    """deny, or wait this long at most; 72h by default."""
