"""What the platform holds of a WhatsApp Business Account, and of the portfolio that owns it.

Source: Meta, "WhatsApp Business Account" reference and "Messaging limits" (read 2026-11).
"""

from typing import Final, Literal

from garbo.simulator.assets.asset import Asset
from garbo.simulator.assets.numbers import Available

PORTFOLIO_ID: Final = "506914307656634"
Tier = Literal["TIER_250", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"]


PEOPLE_OF_TIER: Final[dict[Tier, int | None]] = {
    "TIER_250": 250,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}
"""Unique people a rolling day, business-initiated, outside the service window; None: as many as there are."""


class AccountFacts(Asset):
    """What can be turned at a business account."""

    name: str = "Garbo demo"
    currency: str = "EUR"
    timezone_id: str = "37"
    country: str = "IT"
    account_review_status: Literal["APPROVED", "PENDING", "REJECTED"] = "APPROVED"
    business_verification_status: str = "verified"
    marketing_messages_onboarding_status: Literal["ELIGIBLE", "INELIGIBLE", "ONBOARDED"] = "ELIGIBLE"
    disable_marketing_messages_on_cloud_api: bool = False
    is_enabled_for_insights: bool = True
    can_send_message: Available = "AVAILABLE"
    messaging_limit: Tier = "TIER_UNLIMITED"
    """Of the portfolio; kept with each of its accounts."""
    restriction: Literal["", "blocked", "locked", "disabled", "unpaid", "misclassified"] = ""
    """blocked: sends get 368. locked, disabled: 131031. unpaid: what is sent fails later with 131042.
    misclassified: templates get 131064."""
    subscribed: bool = True
    """Whether the app is subscribed to this account's webhooks."""
    override_callback_uri: str = ""
    """Where this account's webhooks go instead."""
    other_apps: tuple[str, ...] = ()
    """Ids of other apps that are subscribed as well."""
