"""Which thing an id names, and who answers for which edge of it."""

from collections.abc import Awaitable, Callable
from typing import Final

from garbo.simulator.assets.accounts import PORTFOLIO_ID
from garbo.simulator.assets.tokens import MANAGEMENT, MESSAGING
from garbo.simulator.graph.access import check_scope
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.errors import Refusal, plain_error, unknown_object
from garbo.simulator.graph.nodes.apps import Apps
from garbo.simulator.graph.nodes.business_accounts import BusinessAccounts
from garbo.simulator.graph.nodes.call import Call, Json
from garbo.simulator.graph.nodes.handshake import Handshake
from garbo.simulator.graph.nodes.media import MediaNodes
from garbo.simulator.graph.nodes.message_templates import MessageTemplates
from garbo.simulator.graph.nodes.numbers import Numbers
from garbo.simulator.graph.nodes.uploads import Uploads
from garbo.simulator.reviews import Reviews

Answering = Callable[[Call], Awaitable[Json]]
_SCOPES: Final = {
    ("number", ""): (MANAGEMENT, MESSAGING),
    ("number", "media"): (MESSAGING,),
    ("media", ""): (MESSAGING,),
}
"""Where it is not the permission to manage."""
OPEN: Final = ("app", "debug_token")
"""Kinds that need no permission over the accounts."""


class Nodes:
    """Everything of the Graph API but sending: finds what a call is about, and has it answered."""

    def __init__(self, accounts: Accounts, *, reviews: Reviews, uploads: Uploads) -> None:
        self._accounts = accounts
        asking = Handshake()
        self.media, self.uploads = MediaNodes(accounts), uploads
        apps, numbers = Apps(accounts, asking), Numbers(accounts, asking)
        wabas, templates = BusinessAccounts(accounts, asking), MessageTemplates(accounts, reviews)
        self._edges: dict[tuple[str, str, str], Answering] = {
            ("debug_token", "", "GET"): apps.debug_token,
            ("app", "", "GET"): apps.show,
            ("app", "subscriptions", "GET"): apps.subscriptions,
            ("app", "subscriptions", "POST"): apps.subscribe,
            ("app", "subscriptions", "DELETE"): apps.unsubscribe,
            ("app", "uploads", "POST"): uploads.open,
            ("number", "media", "POST"): self.media.upload,
            ("media", "", "GET"): self.media.show,
            ("media", "", "DELETE"): self.media.delete,
            ("number", "", "GET"): numbers.show,
            ("number", "", "POST"): numbers.change,
            ("number", "register", "POST"): numbers.register,
            ("number", "deregister", "POST"): numbers.deregister,
            ("portfolio", "owned_whatsapp_business_accounts", "GET"): wabas.of_portfolio,
            ("account", "", "GET"): wabas.show,
            ("account", "phone_numbers", "GET"): numbers.of_account,
            ("account", "subscribed_apps", "GET"): wabas.subscribed,
            ("account", "subscribed_apps", "POST"): wabas.subscribe,
            ("account", "subscribed_apps", "DELETE"): wabas.unsubscribe,
            ("account", "message_templates", "GET"): templates.listed,
            ("account", "message_templates", "POST"): templates.create,
            ("account", "message_templates", "DELETE"): templates.delete,
            ("template", "", "GET"): templates.show,
            ("template", "", "POST"): templates.edit,
            ("template", "unpause", "POST"): templates.unpause,
        }

    async def answer(self, call: Call, edge: str) -> Json:
        """Answer one call; raises `Refusal`."""
        kind, waba = self._find(call.node)
        if kind not in OPEN:
            check_scope(call.holder, *_SCOPES.get((kind, edge), (MANAGEMENT,)))
        reached = waba is None or waba in call.holder.accounts
        if not kind or not reached:
            raise Refusal(unknown_object(call.node, call.method.lower()))
        answering = self._edges.get((kind, edge, call.method))
        if answering is None:
            message = f"Unsupported {call.method.lower()} request."
            if edge and call.method == "GET":
                message = f"(#100) Tried accessing nonexisting field ({edge[:60]})"
            raise Refusal(plain_error(message))
        return await answering(call)

    def concern(self, node: str, edge: str) -> tuple[str, str | None]:
        """Tell what a call is about, as faults name it, and of which account."""
        kind, waba = self._find(node)
        return "media" if "media" in (kind, edge) else "nodes", waba

    def _find(self, node: str) -> tuple[str, str | None]:
        """Give what an id names and the account it belongs to; an empty kind: nothing."""
        if node == "debug_token":
            return node, None
        if node in ("app", self._accounts.app.id):
            return "app", None
        if node == PORTFOLIO_ID:
            return "portfolio", None
        if node in self._accounts.numbers:
            return "number", self._accounts.numbers[node].waba
        if node in self._accounts.account_facts:
            return "account", node
        media = self._accounts.media.get(node)
        if media:
            return "media", media.waba
        found = self._accounts.template_of(node)
        return ("template", found[0]) if found else ("", None)
