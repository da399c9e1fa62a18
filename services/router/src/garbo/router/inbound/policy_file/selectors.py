"""Selectors: whom a rule touches (`applies_to`, `except`) and what it counts (`counts`)."""

from collections.abc import Mapping
from typing import Final

from garbo.router.domain.selectors import Selector
from garbo.router.inbound.policy_file.fields import Fields

APPLIES: Final = {
    "class": "message_class",
    "purpose": "purpose",
    "form": "form",
    "category": "category",
    "brand": "brand",
    "client": "client",
    "number": "number",
    "number_region": "number_region",
    "campaign": "campaign",
    "tag": "tags",
    "recipient_kind": "recipient_kind",
}
COUNTS: Final = {key: APPLIES[key] for key in ("class", "category", "brand", "campaign", "tag")}
"""What is remembered of a send."""
KNOWN_VALUES: Final = {
    "class": frozenset({"auth", "care", "utility", "promo"}),
    "purpose": frozenset({"auth", "care", "utility", "promo"}),
    "form": frozenset({"free", "template"}),
    "category": frozenset({"marketing", "utility", "authentication", "none"}),
    "recipient_kind": frozenset({"person", "group"}),
}
REGION: Final = "^([A-Z]{2}|none)$"
"""ISO 3166 alpha-2, or `none` where the number does not tell."""


def read_selector(fields: Fields, name: str, keys: Mapping[str, str]) -> Selector:
    """Read a selector: keys AND, listed values OR, `not` of another; the empty one matches everything."""
    inner = fields.child(name)
    negated = read_selector(inner, "not", keys) if inner.has("not") else None
    terms: list[tuple[str, frozenset[str]]] = []
    for key, attribute in keys.items():
        values = inner.words(key)
        if values is None:
            continue
        check_values(inner, key, values)
        terms.append((attribute, values))
    inner.done()
    return Selector(terms=tuple(terms), negated=negated)


def check_values(fields: Fields, key: str, values: frozenset[str]) -> None:
    """Refuse a value that can never match."""
    known = KNOWN_VALUES.get(key)
    if known is not None and values - known:
        raise fields.fault(key, f"{min(values - known)} is none of {', '.join(sorted(known))}")
    if key == "number_region" and not all(_is_region(value) for value in values):
        raise fields.fault(key, "must be countries in two capital letters, such as US, or none")


def _is_region(value: str) -> bool:
    return value == "none" or (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper())  # noqa: PLR2004
