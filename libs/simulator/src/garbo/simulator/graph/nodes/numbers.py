"""A business phone number as it is read and set.

Source: Meta, "Business phone numbers", OpenAPI description v23 (`/{Phone-Number-ID}`), "Webhook overrides".
"""

from typing import Final

from garbo.simulator.assets.accounts import PORTFOLIO_ID
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.errors import Refusal, graph_error, plain_error
from garbo.simulator.graph.nodes.call import Call, Json, listing, shown
from garbo.simulator.graph.nodes.handshake import Handshake

NODE: Final = "WhatsAppBusinessPhoneNumber"
USUAL: Final = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
)
UNSET: Final = (
    "certificate",
    "new_certificate",
    "conversational_automation",
    "country_code",
    "country_dial_code",
    "eligibility_for_api_business_global_search",
    "search_visibility",
)
"""Fields there are, and this platform has nothing to say about."""
_UNSHOWN: Final = {
    "override_callback_uri",
    "can_send_message",
    "throughput",
    "maintenance_until",
    "throttled_until",
}
_PIN_DIGITS: Final = 6


class Numbers:
    """`GET` and `POST /{number}`, `/{waba}/phone_numbers`, `/{number}/register` and `/deregister`."""

    def __init__(self, accounts: Accounts, handshake: Handshake) -> None:
        self._accounts = accounts
        self._handshake = handshake

    async def show(self, call: Call) -> Json:
        """Show one number."""
        node = self._node(self._accounts.numbers[call.node])
        return shown(call, node, kind=NODE, usual=USUAL)

    async def of_account(self, call: Call) -> Json:
        """List an account's numbers."""
        nodes = [self._node(number) for number in self._accounts.numbers_of(call.node)]
        return listing(call, nodes, kind=NODE, usual=USUAL)

    async def change(self, call: Call) -> Json:
        """Set where this number's webhooks go; an empty address means where all others go."""
        wanted = call.params.get("webhook_configuration")
        if not isinstance(wanted, dict):
            raise Refusal(plain_error("(#100) The parameter webhook_configuration is required"))
        address = str(wanted.get("override_callback_uri") or "")
        if address:
            await self._handshake.verify(address, str(wanted.get("verify_token") or ""))
        self._change(call.node, override_callback_uri=address)
        return {"success": True}

    async def register(self, call: Call) -> Json:
        """Register the number for the Cloud API."""
        pin = call.text("pin", most=32)
        if len(pin) != _PIN_DIGITS or not pin.isdecimal():
            raise Refusal(graph_error(133005))
        self._change(call.node, status="CONNECTED")
        return {"success": True}

    async def deregister(self, call: Call) -> Json:
        """Take the number off the Cloud API: sends are then refused with 133010."""
        self._change(call.node, status="DISCONNECTED")
        return {"success": True}

    def _change(self, number_id: str, **fields: object) -> None:
        facts = self._accounts.number_facts
        facts[number_id] = facts[number_id].changed(fields)

    def _node(self, number: SendingNumber) -> Json:
        facts = self._accounts.number_facts[number.id]
        account = self._accounts.account_facts[number.waba]
        node = facts.model_dump(exclude=_UNSHOWN)
        return node | {
            "id": number.id,
            "display_phone_number": number.display,
            "throughput": {"level": facts.throughput},
            "messaging_limit_tier": account.messaging_limit,
            "whatsapp_business_manager_messaging_limit": account.messaging_limit,
            "quality_score": {"score": facts.quality_rating},
            "new_name_status": "NONE",
            "is_preverified_number": False,
            **dict.fromkeys(UNSET),
            "last_onboarded_time": "2026-01-12T09:30:00+0000",
            "health_status": self._health(number),
            "webhook_configuration": self._addresses(number),
        }

    def _addresses(self, number: SendingNumber) -> Json:
        given = {
            "phone_number": self._accounts.number_facts[number.id].override_callback_uri,
            "whatsapp_business_account": self._accounts.account_facts[number.waba].override_callback_uri,
            "application": self._accounts.app_facts.callback_url,
        }
        return {where: address for where, address in given.items() if address}

    def _health(self, number: SendingNumber) -> Json:
        phone = self._accounts.number_facts[number.id].can_send_message
        return health([("PHONE_NUMBER", number.id, phone), *account_health(self._accounts, number.waba)])


def account_health(accounts: Accounts, waba: str) -> list[tuple[str, str, str]]:
    """List what a message of this account depends on, and whether each may send."""
    account = accounts.account_facts[waba]
    blocked = account.restriction in ("blocked", "locked", "disabled")
    mine = "BLOCKED" if blocked else "LIMITED" if account.restriction else account.can_send_message
    return [
        ("WABA", waba, mine),
        ("BUSINESS", PORTFOLIO_ID, "AVAILABLE"),
        ("APP", accounts.app.id, "AVAILABLE"),
    ]


def health(parts: list[tuple[str, str, str]]) -> Json:
    """Write `health_status`: as good as the worst of its parts."""
    words = [word for _, _, word in parts]
    worst = next((word for word in ("BLOCKED", "LIMITED") if word in words), "AVAILABLE")
    entities = [{"entity_type": kind, "id": id_, "can_send_message": word} for kind, id_, word in parts]
    return {"can_send_message": worst, "entities": entities}
