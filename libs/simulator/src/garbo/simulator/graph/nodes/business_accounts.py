"""A WhatsApp Business Account as it is read, and which apps hear of it.

Source: Meta, "WhatsApp Business Account" reference, "Subscribed apps", OpenAPI description v23.
"""

from typing import Final

from garbo.simulator.assets.accounts import PORTFOLIO_ID
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.nodes.apps import app_link
from garbo.simulator.graph.nodes.call import Call, Json, listing, shown
from garbo.simulator.graph.nodes.handshake import Handshake
from garbo.simulator.graph.nodes.numbers import account_health, health

NODE: Final = "WhatsAppBusinessAccount"
USUAL: Final = ("name", "timezone_id", "message_template_namespace", "currency")


class BusinessAccounts:
    """`GET /{waba}`, `/{waba}/subscribed_apps`, and the portfolio's list of accounts."""

    def __init__(self, accounts: Accounts, handshake: Handshake) -> None:
        self._accounts = accounts
        self._handshake = handshake

    async def show(self, call: Call) -> Json:
        """Show one account."""
        return shown(call, self._node(call.node), kind=NODE, usual=USUAL)

    async def of_portfolio(self, call: Call) -> Json:
        """List the portfolio's accounts this token reaches."""
        nodes = [self._node(waba) for waba in self._accounts.account_facts if waba in call.holder.accounts]
        return listing(call, nodes, kind=NODE, usual=USUAL)

    async def subscribed(self, call: Call) -> Json:
        """List the apps that hear of this account."""
        return self._subscribed(call.node)

    async def subscribe(self, call: Call) -> Json:
        """Let the app hear of this account, at an address of its own if one is given and answers."""
        address = ""
        if call.params.get("override_callback_uri"):
            address = call.text("override_callback_uri")
            await self._handshake.verify(address, call.text("verify_token"))
        self._change(call.node, subscribed=True, override_callback_uri=address)
        return {"success": True}

    async def unsubscribe(self, call: Call) -> Json:
        """Let the app hear no more of this account."""
        self._change(call.node, subscribed=False, override_callback_uri="")
        return {"success": True}

    def _subscribed(self, waba: str) -> Json:
        facts, app = self._accounts.account_facts[waba], self._accounts.app
        data = [_listed(other, "Another app", "") for other in facts.other_apps]
        if facts.subscribed:
            data.insert(0, _listed(app.id, app.name, facts.override_callback_uri))
        return {"data": data}

    def _change(self, waba: str, **fields: object) -> None:
        facts = self._accounts.account_facts
        facts[waba] = facts[waba].changed(fields)

    def _node(self, waba: str) -> Json:
        facts = self._accounts.account_facts[waba]
        node = facts.model_dump(
            exclude={"restriction", "subscribed", "override_callback_uri", "other_apps", "can_send_message"}
        )
        limit = node.pop("messaging_limit")
        return node | {
            "id": waba,
            "status": "ACTIVE" if facts.restriction != "disabled" else "DISABLED",
            "message_template_namespace": "b5c1a9d2_7f0e_4a86_9c3d_2e8f41706a55",
            "ownership_type": "SELF",
            "primary_business_location": facts.country,
            "marketing_messages_lite_api_status": facts.marketing_messages_onboarding_status,
            "whatsapp_business_manager_messaging_limit": limit,
            "owner_business_info": {"name": facts.name, "id": PORTFOLIO_ID},
            "on_behalf_of_business_info": None,
            "subscribed_apps": self._subscribed(waba),
            "health_status": health(account_health(self._accounts, waba)),
        }


def _listed(app_id: str, name: str, override: str) -> Json:
    one: Json = {"whatsapp_business_api_data": {"id": app_id, "name": name, "link": app_link(app_id)}}
    return one | ({"override_callback_uri": override} if override else {})
