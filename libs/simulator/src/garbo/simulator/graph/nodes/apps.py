"""The app: what a token is worth, and what the app subscribed to.

Source: Meta, Graph API "Debug token" and "App subscriptions" (read 2026-11).
"""

from typing import Final

from garbo.simulator.assets.app import WEBHOOK_FIELDS
from garbo.simulator.assets.tokens import Holder
from garbo.simulator.graph.access import token_error
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.errors import Refusal, graph_error, plain_error
from garbo.simulator.graph.nodes.call import Call, Json, shown
from garbo.simulator.graph.nodes.handshake import Handshake

OBJECT: Final = "whatsapp_business_account"
SYSTEM_USER: Final = "122100000000001"


class Apps:
    """`GET /debug_token`, `GET /{app}` and `/{app}/subscriptions`."""

    def __init__(self, accounts: Accounts, handshake: Handshake) -> None:
        self._accounts = accounts
        self._handshake = handshake

    async def debug_token(self, call: Call) -> Json:
        """Say what a token is worth. Whoever asks must be of the app the token was made for."""
        asked = self._accounts.holder(call.text("input_token"))
        if asked is None:
            error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        if self._app_of(asked) != self._app_of(call.holder):
            raise Refusal(plain_error("(#100) The App_id in the input_token did not match the Viewing App"))
        return {"data": self._described(asked)}

    async def show(self, call: Call) -> Json:
        """Show the app."""
        app = self._accounts.app
        node = {"id": app.id, "name": app.name, "link": app_link(app.id), "category": "Business"}
        return shown(call, node, kind="Application", usual=("name", "link", "category"))

    async def subscriptions(self, call: Call) -> Json:
        """List what the app hears, and where; only the app's own token may ask."""
        self._only_app(call)
        facts = self._accounts.app_facts
        if not (facts.active and facts.callback_url):
            return {"data": []}
        fields = [{"name": name, "version": "v25.0"} for name in facts.fields]
        one = {"object": OBJECT, "callback_url": facts.callback_url, "active": True, "fields": fields}
        return {"data": [one]}

    async def subscribe(self, call: Call) -> Json:
        """Subscribe the app, once the address has proved that it wants it."""
        self._only_app(call)
        if call.text("object") != OBJECT:
            raise Refusal(plain_error(f"(#100) Param object must be one of {{{OBJECT}}}"))
        fields = tuple(sorted(name.lower() for name in call.listed("fields")))
        unknown = [name for name in fields if name not in WEBHOOK_FIELDS]
        if unknown:
            raise Refusal(plain_error(f"(#100) Invalid field {unknown[0][:60]} for object {OBJECT}"))
        address = call.text("callback_url")
        await self._handshake.verify(address, call.text("verify_token"))
        facts = self._accounts.app_facts.changed(
            {"active": True, "callback_url": address, "fields": fields or self._accounts.app_facts.fields}
        )
        self._accounts.app_facts = facts
        return {"success": True}

    async def unsubscribe(self, call: Call) -> Json:
        """End the app's subscription."""
        self._only_app(call)
        self._accounts.app_facts = self._accounts.app_facts.changed({"active": False})
        return {"success": True}

    def _only_app(self, call: Call) -> None:
        if not call.holder.is_app:
            error = "(#15) This method must be called with an app access_token."
            raise Refusal(plain_error(error, code=15))
        if call.node != self._accounts.app.id:
            raise Refusal(graph_error(200))

    def _app_of(self, holder: Holder) -> str:
        return holder.facts.app_id or self._accounts.app.id

    def _described(self, asked: Holder) -> Json:
        facts = asked.facts
        data: Json = {
            "app_id": self._app_of(asked),
            "type": "APP" if asked.is_app else "SYSTEM_USER",
            "application": self._accounts.app.name if facts.app_id is None else "Another app",
            "is_valid": True,
        }
        if asked.is_app:
            return data
        scopes = list(facts.scopes)
        data |= {
            "data_access_expires_at": 0,
            "expires_at": int(facts.expires_at),
            "issued_at": facts.issued_at,
        }
        targets = sorted(asked.accounts)
        data |= {"scopes": scopes, "user_id": SYSTEM_USER}
        data["granular_scopes"] = [{"scope": scope, "target_ids": targets} for scope in scopes]
        error = token_error(asked)
        if error:
            said = {"code": error.code, "message": error.message, "subcode": error.subcode}
            data |= {"is_valid": False, "error": said}
        return data


def app_link(app_id: str) -> str:
    """Give the address an app is shown with."""
    return f"https://www.facebook.com/games/?app_id={app_id}"
