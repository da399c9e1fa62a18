"""Whose read marks are told, and what the platform's answer to one means. Pure."""

from typing import Literal

from garbo.common.business import Business
from garbo.common.events.reads import ReadRequested
from garbo.sender.domain.error_codes import CODES
from garbo.sender.domain.outcomes import Answer, Answered, code_of

MarkOutcome = Literal["marked", "again", "refused"]
"""again: it may help to ask once more; a mark that is told twice does no harm."""


def mark_refusal(event: ReadRequested, business: Business) -> str | None:
    """Say why a mark is not its client's to ask for; None when it is."""
    client = next((one for one in business.clients if one.id == event.client), None)
    if client is None:
        return "unknown_client"
    brand = next((one.brand for one in business.numbers if one.id == event.number), None)
    if brand is None:
        return "unknown_number"
    return None if brand in client.brands else "brand_not_allowed"


def outcome_of_mark(answer: Answer) -> MarkOutcome:
    """Say what became of a mark."""
    match answer:
        case Answered(status=200, body={"success": True}):
            return "marked"
        case Answered(body=body) if (code := code_of(body)) is not None:
            known = CODES.get(code)
            return "again" if known and known.act == "retry" else "refused"
        case Answered(status=status) if status < 500:  # noqa: PLR2004 - HTTP's own border
            return "refused"
        case _:
            return "again"
