"""What is looked at: one number, by what it is told, and what was found out on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from garbo.cli.connect.graph import Graph

Json = dict[str, Any]


@dataclass(slots=True)
class Subject:
    """One number and how it is reached. What checks find out, later ones use."""

    number: str
    graph: Graph
    token_shown: str
    """Where the token came from, for the mend: a file's name, never the token."""
    app_id: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    proves: bool = False
    """The sender is told to prove the app's secret with each call (`GARBO_GRAPH_APP_SECRET`)."""
    callback: str | None = None
    verify_token: str | None = field(default=None, repr=False)
    account: str | None = None
    """The business account, once it is known."""
    has_marketing: bool = False
    """The account is onboarded to the endpoint for promos."""
    node: Json = field(default_factory=dict)
    """The number as the platform shows it."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def app_token(self) -> str | None:
        """What the app itself asks with; None without its secret."""
        return f"{self.app_id}|{self.app_secret}" if self.app_id and self.app_secret else None

    @property
    def effective_callback(self) -> str | None:
        """Where the platform sends this number's webhooks: to its own address, the account's or the app's.

        Source: Meta, "Webhook overrides" (read 2026-11).
        """
        told = self.node.get("webhook_configuration")
        if not isinstance(told, dict):
            return None
        order = ("phone_number", "whatsapp_business_account", "application")
        return next((str(told[where]) for where in order if told.get(where)), None)
