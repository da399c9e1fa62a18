"""The policy as values: what the rules are, not how they are written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from garbo.common.events.decisions import MessageClass
from garbo.router.domain.policy_settings import PolicySettings
from garbo.router.domain.rules.budget import BudgetRule, budgets_of
from garbo.router.domain.rules.cap import RateRule, caps_of
from garbo.router.domain.rules.case_hold import longest_hold_us
from garbo.router.domain.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class ClassRule:
    """The class of requests with this purpose and category; the first that matches decides."""

    message_class: MessageClass
    purposes: frozenset[str] | None
    categories: frozenset[str] | None

    def matches(self, purpose: str, category: str) -> bool:
        """Say whether purpose and category (`none` for free-form) are both listed."""
        return (self.purposes is None or purpose in self.purposes) and (
            self.categories is None or category in self.categories
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(PolicySettings):
    """One policy file, read and checked."""

    name: str
    version: str
    """`sha256:` and the hash of the file's bytes."""
    classes: tuple[ClassRule, ...]
    rules: tuple[Rule, ...]
    rules_by_class: Mapping[str, tuple[Rule, ...]] = field(init=False, compare=False, repr=False)
    """Message class -> the rules that can touch it, in file order."""
    caps: tuple[RateRule, ...] = field(init=False, compare=False, repr=False)
    budgets: Mapping[str, BudgetRule] = field(init=False, compare=False, repr=False)
    """By their names, in file order."""
    counts_for_life: bool = field(init=False, compare=False, repr=False)
    """A rule counts sends of a campaign however old."""
    longest_hold_us: int = field(init=False, compare=False, repr=False)
    """The longest a case holds anything back; 0 without such a rule."""

    def __post_init__(self) -> None:
        caps = caps_of(self.rules)
        known = {
            "rules_by_class": {
                name: tuple(rule for rule in self.rules if name in rule.reach.applies_to.classes)
                for name in get_args(MessageClass)
            },
            "caps": caps,
            "budgets": budgets_of(self.rules),
            "counts_for_life": any(cap.counts_for_life for cap in caps),
            "longest_hold_us": longest_hold_us(self.rules),
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)
