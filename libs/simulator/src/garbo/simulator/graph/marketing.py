"""`POST /{number}/marketing_messages`: what this endpoint takes, and what belongs to the other one.

Source: Meta, "Marketing Messages API for WhatsApp", "Error codes" 131061, 134100 to 134102 (read 2026-11).
"""

import time
from typing import Any, Final

from garbo.simulator.assets.accounts import AccountFacts
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.requests import MarkRead, Send

MARKETING: Final = "marketing_messages"
POLICIES: Final = ("CLOUD_API_FALLBACK", "STRICT")


def not_here(
    edge: str, asked: Send | MarkRead, body: dict[str, Any], account: AccountFacts
) -> GraphError | None:
    """Refuse what this endpoint does not take; None where it takes it."""
    template = asked.template if isinstance(asked, Send) else None
    if edge != MARKETING:
        return graph_error(131061) if template is not None and template.marketing_only else None
    if template is None:
        return graph_error(100, "Message must be a template message")
    if body.get("product_policy", POLICIES[0]) not in POLICIES:
        return graph_error(100, f"Param product_policy must be one of {', '.join(POLICIES)}")
    if not isinstance(body.get("message_activity_sharing", False), bool):
        return graph_error(100, "Param message_activity_sharing must be a boolean")
    if account.marketing_messages_onboarding_status != "ONBOARDED":
        return graph_error(134102)
    if template.category != "MARKETING":
        return graph_error(134100)
    return graph_error(134101) if time.time() < template.syncing_until else None
