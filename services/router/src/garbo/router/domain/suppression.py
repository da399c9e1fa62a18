"""What suppression lists say of a person."""

from collections.abc import Mapping

from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import replace


def with_suppressions(state: RecipientState, since_us: Mapping[str, int]) -> RecipientState:
    """Give a person with what lists say of their addresses: brand or `*` -> since when. The newest stands."""
    newest = {brand: max(at_us, state.suppressed.get(brand, 0)) for brand, at_us in since_us.items()}
    return replace(state, suppressed={**state.suppressed, **newest})
