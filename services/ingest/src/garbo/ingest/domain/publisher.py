"""Who publishes, and what they may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Publisher:
    """A client that has shown its key, and what it may do. Brand `*` among its brands: all of them."""

    id: str
    brands: frozenset[str]
    purposes: frozenset[str]
    numbers: frozenset[str] = frozenset()
    """The sending numbers of its brands."""
    may_publish: bool = True
    body_values: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many parameters the body of a template takes, by name and language, where the file says so."""
    may_link: bool = False
    brand_accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Brand -> the accounts of its numbers."""
    number_accounts: Mapping[str, str] = field(default_factory=dict)

    def accounts(self, brand: str, number: str | None) -> tuple[str, ...]:
        """Name the accounts a request of this brand may be sent from; empty where nobody knows."""
        if number is None:
            return self.brand_accounts.get(brand, ())
        account = self.number_accounts.get(number)
        return () if account is None else (account,)
