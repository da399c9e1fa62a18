"""What the platform holds of a sending number, beside its id and its display form.

Source: Meta, "Business phone numbers" and the OpenAPI description v23, WhatsAppPhoneNumber (read 2026-11).
"""

from typing import Literal

from garbo.simulator.assets.asset import Asset

Quality = Literal["GREEN", "YELLOW", "RED", "UNKNOWN", "NA"]
Available = Literal["AVAILABLE", "LIMITED", "BLOCKED"]


class NumberFacts(Asset):
    """What can be turned at a number."""

    verified_name: str = "Garbo demo"
    quality_rating: Quality = "GREEN"
    throughput: Literal["STANDARD", "HIGH", "NOT_APPLICABLE"] = "STANDARD"
    """HIGH: 1,000 messages a second, whatever the business file says."""
    name_status: Literal[
        "APPROVED", "AVAILABLE_WITHOUT_REVIEW", "DECLINED", "EXPIRED", "PENDING_REVIEW", "NONE"
    ] = "APPROVED"
    status: Literal[
        "CONNECTED", "PENDING", "OFFLINE", "DISCONNECTED", "FLAGGED", "RESTRICTED", "BANNED", "DELETED"
    ] = "CONNECTED"
    platform_type: Literal["CLOUD_API", "ON_PREMISE", "NOT_APPLICABLE"] = "CLOUD_API"
    code_verification_status: Literal["VERIFIED", "NOT_VERIFIED", "EXPIRED"] = "VERIFIED"
    account_mode: Literal["LIVE", "SANDBOX"] = "LIVE"
    is_official_business_account: bool = False
    is_on_biz_app: bool = False
    """Used in the phone app as well (coexistence): 20 messages a second, always."""
    is_pin_enabled: bool = True
    can_send_message: Available = "AVAILABLE"
    override_callback_uri: str = ""
    """Where this number's webhooks go instead."""
    maintenance_until: float = 0
    """Epoch seconds; until then sends get 131057, as amid a throughput upgrade."""
    throttled_until: float = 0
    """Epoch seconds; until then sends get 130429, whatever was sent."""

    @property
    def usual(self) -> bool:
        """Tell whether nothing about it needs a look at each send."""
        return self.status == "CONNECTED" and not self.maintenance_until and not self.throttled_until
