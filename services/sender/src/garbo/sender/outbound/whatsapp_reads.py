"""Read marks over HTTP.

Source: Meta, Cloud API reference "Mark messages as read" and "Typing indicators" (read 2026-11).
"""

from typing import Any, Final

import orjson

from garbo.common.events.reads import ReadRequested
from garbo.sender.domain.outcomes import Answer
from garbo.sender.outbound.graph import GraphClient

MARK_S: Final = 10.0


def read_body_of(event: ReadRequested, *, typing: bool) -> bytes:
    """Write the body of one mark."""
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": event.message_id,
    }
    return orjson.dumps(body | ({"typing_indicator": {"type": "text"}} if typing else {}))


class WhatsAppReads:
    """`ReadMarks` over HTTP."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def mark(self, event: ReadRequested, *, typing: bool) -> Answer:
        """Tell one mark. Every way it can end is a value."""
        return await self._graph.ask(
            "POST",
            f"{event.number}/messages",
            number=event.number,
            within_s=MARK_S,
            content=read_body_of(event, typing=typing),
            headers={"content-type": "application/json"},
        )
