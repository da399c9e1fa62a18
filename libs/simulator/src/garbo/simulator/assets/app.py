"""The app on the platform: its secret, where it hears webhooks, and which of them.

Source: Meta, Graph API "Secure requests" (appsecret_proof) and "App subscriptions" (read 2026-11).
"""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from garbo.simulator.assets.asset import Asset

WEBHOOK_FIELDS: Final = (
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "messages",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "template_category_update",
    "user_preferences",
)
"""The fields this platform tells of."""


class AppFacts(Asset):
    """What can be turned at the app."""

    require_proof: bool = False
    """Refuse calls without a right `appsecret_proof`."""
    active: bool = True
    """Whether the app's subscription is there: without it nothing is told."""
    callback_url: str = ""
    fields: tuple[str, ...] = WEBHOOK_FIELDS
    """What the app subscribed to; what is missing here is never told."""


@dataclass(frozen=True, slots=True)
class MetaApp:
    """Who an app is."""

    id: str = "1093021540000001"
    name: str = "Garbo"
    secret: str = field(default="", repr=False)

    @property
    def token(self) -> str:
        """The app access token."""
        return f"{self.id}|{self.secret}"

    def proof(self, token: str) -> str:
        """Give the `appsecret_proof` of a token: HMAC-SHA256 of it under the app secret, in hex."""
        return hmac.new(self.secret.encode(), token.encode(), sha256).hexdigest()
