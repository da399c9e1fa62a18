"""How many people a portfolio may write to first, read from one of its accounts.

Source: Meta, "WhatsApp Business Account" node, `whatsapp_business_manager_messaging_limit` (read 2026-11).
"""

from typing import Final

from garbo.sender.domain.outcomes import Answered
from garbo.sender.domain.portfolios import PeopleLimit, people_limit
from garbo.sender.outbound.graph import GraphClient

READ_S: Final = 30.0
FIELD: Final = "whatsapp_business_manager_messaging_limit"


class WhatsAppLimits:
    """`AccountLimits` over HTTP."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def of_account(self, waba: str, *, number: str) -> PeopleLimit | None:
        """See `AccountLimits`: whatever is in the way, nothing is known."""
        answer = await self._graph.ask("GET", waba, number=number, within_s=READ_S, params={"fields": FIELD})
        if not isinstance(answer, Answered) or not answer.body or "error" in answer.body:
            return None
        return people_limit(answer.body.get(FIELD))
