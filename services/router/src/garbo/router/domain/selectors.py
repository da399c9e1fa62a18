"""Whom a rule touches, and which sends it counts."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from garbo.common.events.decisions import MessageClass


class Selectable(Protocol):
    """What a selector can ask of a request (`applies_to`) or of a send in the past (`counts`)."""

    @property
    def message_class(self) -> str:
        """auth, care, utility, promo."""
        ...

    @property
    def tags(self) -> tuple[str, ...]:
        """The request's tags."""
        ...


@dataclass(frozen=True, slots=True)
class Selector:
    """Keys AND, listed values OR; the empty selector matches everything.

    Each term is an attribute of what is selected and the values it may have.
    """

    terms: tuple[tuple[str, frozenset[str]], ...] = ()
    negated: "Selector | None" = None
    classes: frozenset[str] = field(init=False, compare=False, repr=False)
    """Message classes it can match."""
    by_class: bool = field(init=False, compare=False, repr=False)
    """Nothing but the class matters."""

    def __post_init__(self) -> None:
        listed = [values for attribute, values in self.terms if attribute == "message_class"]
        classes = frozenset(get_args(MessageClass)).intersection(*listed)
        object.__setattr__(self, "classes", classes)
        object.__setattr__(self, "by_class", len(listed) == len(self.terms) and self.negated is None)

    def matches(self, selected: Selectable) -> bool:
        """Say whether all terms hold and the negated selector does not."""
        for attribute, allowed in self.terms:
            if attribute == "tags":
                if allowed.isdisjoint(selected.tags):
                    return False
            elif (getattr(selected, attribute) or "none") not in allowed:
                return False
        return self.negated is None or not self.negated.matches(selected)


@dataclass(frozen=True, slots=True)
class Reach:
    """The envelope every rule has: its name, whom it touches, what a hit means."""

    id: str
    applies_to: Selector
    exempt: Selector | None = None
    on_hit: Literal["deny", "defer"] = "defer"
    max_defer_us: int | None = None
    """The longest wait from the message's first decision, when `on_hit` is defer."""
    hard: bool = False
    """Nobody passes it over, and nobody waits for it."""
    overridable_by: frozenset[str] = frozenset()
    """Roles of clients that may ask for this rule to be passed over."""
    by_class: bool = field(init=False, compare=False, repr=False)
    """Nothing but the request's class decides whether it touches."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_class", self.applies_to.by_class and self.exempt is None)

    def touches(self, selected: Selectable) -> bool:
        """Say whether the rule has a say about this request."""
        if not self.applies_to.matches(selected):
            return False
        return self.exempt is None or not self.exempt.matches(selected)
