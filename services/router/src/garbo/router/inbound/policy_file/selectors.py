"""Selectors: whom a rule touches (`applies_to`, `except`) and what it counts (`counts`)."""

from typing import Annotated, Final, Self, TypeAlias

from pydantic import Field

from garbo.router.domain.selectors import Selector
from garbo.router.inbound.policy_file.fields import AnyWords, Maybe, Model, Words
from garbo.router.inbound.policy_file.regions import Regions

PURPOSES: Final = ("auth", "care", "promo", "utility")
"""And the classes, by the same words."""
Purposes: TypeAlias = Annotated[frozenset[str], Words(of=PURPOSES)]
Categories: TypeAlias = Annotated[
    frozenset[str], Words(of=("authentication", "marketing", "none", "utility"))
]
Forms: TypeAlias = Annotated[frozenset[str], Words(of=("free", "template"))]
Kinds: TypeAlias = Annotated[frozenset[str], Words(of=("group", "person"))]
_ANY: Final[frozenset[str]] = frozenset()
"""Of a key that is left out."""


class SelectorModel(Model):
    """Keys AND, listed values OR, `not` of another; the empty one matches everything.

    A field is named as the attribute it is compared with, and has the file's key for an alias.
    """

    negated: Maybe[Self] = Field(default=None, alias="not")

    def to_selector(self) -> Selector:
        """Give it as the rules ask it."""
        keys = (name for name in type(self).model_fields if name != "negated")
        terms = tuple((key, words) for key in keys if (words := getattr(self, key)))
        return Selector(terms=terms, negated=self.negated.to_selector() if self.negated else None)


class AppliesTo(SelectorModel):
    """Whom a rule touches."""

    message_class: Purposes = Field(default=_ANY, alias="class")
    purpose: Purposes = _ANY
    form: Forms = _ANY
    category: Categories = _ANY
    brand: AnyWords = _ANY
    client: AnyWords = _ANY
    number: AnyWords = _ANY
    number_region: Regions = _ANY
    campaign: AnyWords = _ANY
    tags: AnyWords = Field(default=_ANY, alias="tag")
    recipient_kind: Kinds = _ANY


class Counts(SelectorModel):
    """Which sends it counts, by what is remembered of them."""

    message_class: Purposes = Field(default=_ANY, alias="class")
    category: Categories = _ANY
    brand: AnyWords = _ANY
    campaign: AnyWords = _ANY
    tags: AnyWords = Field(default=_ANY, alias="tag")
