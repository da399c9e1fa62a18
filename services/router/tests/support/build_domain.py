"""Builders in the decision's own words: requests, sends, states."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from garbo.common.events.ids import MessageId
from garbo.router.domain.evaluation_context import EvaluationContext
from garbo.router.domain.instants import DAY_US, MINUTE_US, SECOND_US, to_us
from garbo.router.domain.policy_settings import PolicySettings
from garbo.router.domain.request import Body, Numbers, Request, Subject
from garbo.router.domain.state import Claims, Consent, RecipientState, Send
from garbo.router.domain.values import replace

PROMO: Final = Body(form="template", category="marketing")
UTILITY: Final = Body(form="template", category="utility")
AUTH: Final = Body(form="template", category="authentication")
FREE: Final = Body(form="free")
UNKNOWN: Final = Body(form="template", category="unknown", template_unknown=True)
NUMBERS: Final = Numbers(asked=None, all=("1001", "1002"), care_default="1001", promo_default="1002")


def at(text: str) -> int:
    """Read an instant such as `2026-06-05T10:00:00Z` into microseconds."""
    return to_us(datetime.fromisoformat(text))


JUNE_5: Final = at("2026-06-05T10:00:00Z")


def message(number: int) -> MessageId:
    """Name a message by a small number."""
    return MessageId(UUID(int=number))


def a_request(number: int = 99, **more: Any) -> Request:  # noqa: ANN401 - any field
    """Ask for a promo template of brand acme."""
    plain = Request(
        message_id=message(number),
        request_id=UUID(int=number),
        client="crm",
        brand="acme",
        purpose="promo",
        body=PROMO,
        fallback=None,
        numbers=NUMBERS,
        requested_at_us=0,
    )
    return replace(plain, **more)


def sends_at(*instants: str, **more: Any) -> tuple[Send, ...]:  # noqa: ANN401 - any field
    """Give accepted promos of brand acme, numbered from 1."""
    plain = {"message_class": "promo", "brand": "acme", **more}
    return tuple(
        Send(message_id=message(n), at_us=at(instant), **plain) for n, instant in enumerate(instants, start=1)
    )


def a_state(**more: Any) -> RecipientState:  # noqa: ANN401 - any field
    """Give a person who has opted in to marketing of brand acme, long ago."""
    consents = {"acme/*/marketing": Consent(given_at_us=1)}
    return replace(RecipientState(consents=consents), **more)


def in_zone(state: RecipientState, zone: str) -> RecipientState:
    """Let brand acme know that a person lives in a zone."""
    return replace(state, claims={"acme": Claims(zone=zone)})


ROME: Final = in_zone(a_state(), "Europe/Rome")


def a_context(**more: Any) -> EvaluationContext:  # noqa: ANN401 - any field of the subject
    """Put a promo of brand acme to somebody nothing is known of before the rules."""
    subject = Subject(
        message_class="promo",
        lane="promo",
        purpose="promo",
        form="template",
        category="marketing",
        brand="acme",
        client="crm",
        number="1002",
        recipient_kind="person",
        campaign=None,
        tags=(),
    )
    settings = PolicySettings(
        lease_us=15 * MINUTE_US,
        send_budget_us=45 * SECOND_US,
        history_us=90 * DAY_US,
        refund_codes=frozenset(),
    )
    return EvaluationContext(settings, RecipientState(), replace(subject, **more), now_us=0)
