"""The gate before whatever shows or changes a person: may this client see this contact, in these brands."""

from dataclasses import dataclass
from typing import Final

from garbo.router.domain.state import RecipientState, known_to

EVERY_BRAND: Final = "*"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A client that looks at people: at those its brands have dealt with, and at what those brands did."""

    brands: tuple[str, ...]
    numbers: frozenset[str]
    """The sending numbers of its brands."""
    has_every_brand: bool
    """All brands there are: it sees everybody."""

    def sees(self, state: RecipientState) -> bool:
        """Say whether it may know that there is such a person."""
        return self.has_every_brand or known_to(state, self.brands)

    def sees_brand(self, brand: str) -> bool:
        """Say whether what a brand did is its to see; what holds for all brands (`*`) is."""
        return brand in (*self.brands, EVERY_BRAND)

    def speaks_for(self, brand: str) -> bool:
        """Say whether it may change something of a brand; `*` takes all there are."""
        return self.has_every_brand if brand == EVERY_BRAND else brand in self.brands

    def is_alone_with(self, state: RecipientState) -> bool:
        """Say whether no brand but its own has dealt with the person."""
        return self.has_every_brand or state.claims.keys() <= set(self.brands)
