"""Consent: what a record changes, and whether what is recorded is enough."""

from dataclasses import replace
from typing import Final

from garbo.router.domain.policy import ConsentRule
from garbo.router.domain.state import Consent, RecipientState

_FIELDS: Final = {
    "given": "given_at_us",
    "imported": "given_at_us",
    "confirmed": "confirmed_at_us",
    "withdrawn": "withdrawn_at_us",
    "expired": "withdrawn_at_us",
}
"""`requested` changes nothing; `imported` counts as given, never as confirmed."""


def consent_key(*, brand: str, channel: str, purpose: str) -> str:
    """Name the place of a consent in the state."""
    return f"{brand}/{channel}/{purpose}"


def with_consent(state: RecipientState, *, key: str, action: str, at_us: int) -> RecipientState:
    """Take note of a consent record. The newest instant of each action stands, whatever the order."""
    field = _FIELDS.get(action)
    if field is None:
        return state
    known = state.consents.get(key, Consent())
    newest = max(at_us, getattr(known, field) or 0)
    return replace(state, consents={**state.consents, key: replace(known, **{field: newest})})


def consent_fault(rule: ConsentRule, state: RecipientState, *, brand: str, now_us: int) -> str | None:
    """Say why consent is missing; None if it is there.

    `not_opted_in`, `opt_in_unconfirmed` or `consent_expired`. A withdrawal in the same microsecond wins.
    At exactly `max_age` consent has expired.
    """
    given_us, confirmed_us, withdrawn_us = _newest(state, brand=brand, purpose=rule.purpose)
    best_us = confirmed_us if rule.level == "double" else max(given_us, confirmed_us)
    if best_us <= withdrawn_us or best_us == 0:
        unconfirmed = rule.level == "double" and given_us > withdrawn_us
        return "opt_in_unconfirmed" if unconfirmed else "not_opted_in"
    if rule.max_age_us is not None and now_us >= best_us + rule.max_age_us:
        return "consent_expired"
    return None


def _newest(state: RecipientState, *, brand: str, purpose: str) -> tuple[int, int, int]:
    given = confirmed = withdrawn = 0
    for scope in (brand, "*"):
        for channel in ("whatsapp", "*"):
            consent = state.consents.get(consent_key(brand=scope, channel=channel, purpose=purpose))
            if consent:
                given = max(given, consent.given_at_us or 0)
                confirmed = max(confirmed, consent.confirmed_at_us or 0)
                withdrawn = max(withdrawn, consent.withdrawn_at_us or 0)
    return given, confirmed, withdrawn
