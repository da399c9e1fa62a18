"""Which of two endpoints a message is posted to, and when the other one is tried. Pure.

Source: Meta, "Marketing Messages API for WhatsApp", and error codes 131055, 131061, 131063, 134100 to 134102
(read 2026-11): the one is for marketing templates alone, by the category a template has at that moment.
"""

from typing import Final, Literal

from garbo.sender.domain.outcomes import Answer, Answered, code_of
from garbo.sender.domain.queued_send import QueuedSend

Endpoint = Literal["messages", "marketing_messages"]
_NOT_HERE: Final = frozenset({131055, 131061, 131063, 134100, 134101, 134102})
"""Codes that say: nothing was sent, and not at this endpoint. 134102 says so, too, though it comes as a 500;
134101 (the template is still copied there) passes in 10 minutes, and the other endpoint takes it at once."""


def is_marketed(send: QueuedSend, *, category: str | None) -> bool:
    """Say whether a message may go as marketing: a template of that category, to a person."""
    return send.template is not None and not send.is_to_group and _is_marketing(category)


def other_endpoint(endpoint: Endpoint, answer: Answer) -> Endpoint | None:
    """Name where to try once more after an answer; None where that would help nothing, or not be safe."""
    if not isinstance(answer, Answered) or code_of(answer.body) not in _NOT_HERE:
        return None
    return "messages" if endpoint == "marketing_messages" else "marketing_messages"


def _is_marketing(category: str | None) -> bool:
    return (category or "").upper() == "MARKETING"
