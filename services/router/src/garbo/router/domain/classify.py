"""Class, number and lane of a request: what it really is, whatever it was called."""

from typing import Final

from garbo.common.events.decisions import MessageClass
from garbo.router.domain.instants import MINUTE_US
from garbo.router.domain.policy import Policy
from garbo.router.domain.request import Body, Numbers, Request
from garbo.router.domain.state import WINDOW_US, RecipientState
from garbo.router.domain.values import Value

AUTH_DEFAULT_US: Final = 10 * MINUTE_US
AUTH_MOST_US: Final = 15 * MINUTE_US


class Classified(Value, frozen=True):
    """What a request counts as."""

    message_class: MessageClass
    number: str
    purpose: str
    """As it was asked, or what a care request without a case was demoted to."""
    demoted: bool
    deadline_us: int | None
    """When it is no longer wanted."""
    reclassified: bool = False
    """The template's category made it another class than the purpose says."""


def classify(
    policy: Policy, state: RecipientState, request: Request, *, body: Body, now_us: int
) -> Classified:
    """Decide class and number. What cannot be told is promo: the strictest treatment."""
    open_number = _open_number(state, request.numbers, now_us)
    purpose = _effective_purpose(
        state, request, body=body, window_open=open_number is not None, now_us=now_us
    )
    by_text = open_number is not None or request.channel == "sms"
    message_class = _class_of(policy, body, purpose=purpose, by_text=by_text)
    default = request.numbers.promo_default if message_class == "promo" else request.numbers.care_default
    return Classified(
        message_class=message_class,
        number=request.numbers.asked or open_number or default,
        purpose=purpose,
        demoted=purpose != request.purpose,
        deadline_us=_deadline_us(request, message_class),
        reclassified=message_class != purpose and body.form == "template" and not body.template_unknown,
    )


def _deadline_us(request: Request, message_class: MessageClass) -> int | None:
    """Tell when the request is no longer wanted; a code has 10 minutes by default and 15 at most."""
    if message_class != "auth":
        return request.expires_at_us
    asked_us = request.expires_at_us or request.requested_at_us + AUTH_DEFAULT_US
    return min(asked_us, request.requested_at_us + AUTH_MOST_US)


def _open_number(state: RecipientState, numbers: Numbers, now_us: int) -> str | None:
    """Find the number with an open window, of those the request may use: the one open longest."""
    usable = (numbers.asked,) if numbers.asked else numbers.all
    windows = [(state.window_until_us(n) or 0, n) for n in usable]
    until_us, number = max(windows, default=(0, None))
    return number if until_us > now_us else None


def _effective_purpose(
    state: RecipientState, request: Request, *, body: Body, window_open: bool, now_us: int
) -> str:
    """Let care stand with an open window, an open case or an answer to a recent message; else demote it."""
    if request.purpose != "care" or window_open:
        return request.purpose
    if any(c.closed_at_us is None and c.brand in (request.brand, "*") for c in state.cases.values()):
        return "care"
    cited_us = dict(state.inbound).get(request.reply_to or "")
    if cited_us is not None and cited_us + WINDOW_US > now_us:
        return "care"
    return "utility" if body.category == "utility" else "promo"


def _class_of(policy: Policy, body: Body, *, purpose: str, by_text: bool) -> MessageClass:
    """Take the first class that matches. A code may go as text by SMS, or inside the window."""
    if body.template_unknown:
        return "promo"
    if purpose == "auth" and body.form == "free" and by_text:
        return "auth"
    for rule in policy.classes:
        if rule.matches(purpose, body.category):
            return rule.message_class
    return "promo"
