"""Reasons in words: the one table that turns codes into sentences for people."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from garbo.analytics.domain.facts import Fact

Words = tuple[str | datetime, ...]
"""A sentence in pieces, so that whoever shows it writes its instants in the reader's own zone."""

HELD: Final = "Held back"
REFUSED: Final = "Refused"


def in_text(words: Words) -> str:
    """Write a sentence out, its instants in UTC."""
    return "".join(f"{w:%-d %b %H:%M} UTC" if isinstance(w, datetime) else w for w in words)


def decision_in_words(fact: Fact) -> Words:
    """Say what was decided and why, in a sentence or two."""
    match fact.verdict:
        case None:
            return ("Waiting for a decision.",)
        case "allow" if fact.demoted:
            allowed = "Allowed, but not as care: no case is open and they did not write in the last 24 h."
            return (allowed, *_besides(fact))
        case "allow":
            return (f"Allowed: every rule agreed that this {_one(fact)} may go.", *_besides(fact))
        case verdict:
            lead, sentence = _sentence(fact)
            lead = "Put off" if verdict == "defer" else lead
            return (f"{lead}: {sentence}", *_when(fact), ".", *_besides(fact))


def label(reason: str) -> str:
    """Name a reason in two or three words."""
    return _REASONS[reason][0] if reason in _REASONS else _spelt(reason).capitalize()


def failure_in_words(code: str) -> str:
    """Say what an error code of the platform, or a word of ours, means."""
    if code.isdecimal():
        return _CODES.get(int(code), f"WhatsApp refused it (code {code})")
    return _FAILURES.get(code, _spelt(code).capitalize() or "It could not be sent")


def _sentence(fact: Fact) -> tuple[str, str]:
    reason = fact.reason or ""
    if reason not in _REASONS:
        return HELD, _spelt(reason) or "a rule did not agree"
    _, lead, sentence = _REASONS[reason]
    return lead, sentence(fact) if callable(sentence) else sentence


def _when(fact: Fact) -> Words:
    """Say when it is tried again, when the next may go, or which deadline was in the way."""
    again_at, next_at, deadline = fact.due_at or fact.next_allowed_at, fact.next_allowed_at, fact.expires_at
    latest = "at the latest at" if fact.provisional else "at"
    match fact.reason:
        case "expired" if deadline:
            return (" (", deadline, ")")
        case "would_expire" if next_at and deadline:
            return (", until ", next_at, ", and it expires at ", deadline)
        case "would_expire" if next_at:
            return (", until ", next_at)
    if fact.verdict == "defer" and again_at:
        return (f"; it is tried again {latest} ", again_at)
    return (f"; the next may go {latest} ", next_at) if next_at else ()


def _besides(fact: Fact) -> Words:
    """Say what else the reader may wonder about."""
    words: list[str] = []
    if fact.reclassified:
        words.append(f" Its template makes it a {_one(fact)}, whatever it was asked as.")
    if fact.overridden:
        words.append(f" The client had {', '.join(fact.overridden)} passed over, as it may.")
    return tuple(words)


def _cap(fact: Fact) -> str:
    used, limit, window = _figures(fact)
    if used is None or limit is None:
        return f"this person has had as many {_many(fact)} as the cap allows"
    return f"this person already had {used} of {limit} {_many(fact)} in {_span(window)}"


def _gap(fact: Fact) -> str:
    _, _, window = _figures(fact)
    least = f"less than {_length(window)}" if window else "too little time"
    return f"{least} has passed since the last {_one(fact)} to this person"


def _figures(fact: Fact) -> tuple[int | None, int | None, str | None]:
    """Take the figures from the decision, else from the check of the rule that decided."""
    check = next((c for c in fact.checks if c.rule == fact.rule), None)
    if check is None or fact.limit_count is not None or fact.window_span:
        return fact.used_count, fact.limit_count, fact.window_span
    return check.used, check.limit, check.window


_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "h", "d": "days", "w": "weeks"}


def _span(window: str | None) -> str:
    return f"the last {_length(window)}" if window else "this span of time"


def _length(window: str) -> str:
    found = re.fullmatch(r"(?:rolling |min )?([0-9]+)([smhdw])", window)
    if not found:
        return window
    number, unit = found.groups()
    word = _UNITS[unit]
    return f"{number} {word.removesuffix('s') if number == '1' else word}"


_KINDS: Final = {"promo": "promo", "care": "care message", "utility": "utility message", "auth": "code"}


def _one(fact: Fact) -> str:
    return _KINDS.get(fact.message_class or fact.purpose or "", "message")


def _many(fact: Fact) -> str:
    return f"{_one(fact)}s"


def _spelt(code: str) -> str:
    return code.replace("_", " ").strip()


_REASONS: Final[dict[str, tuple[str, str, str | Callable[[Fact], str]]]] = {
    "cap_reached": ("Cap reached", HELD, _cap),
    "gap": ("Too soon", HELD, _gap),
    "not_opted_in": ("No opt-in", HELD, "this person has not agreed to receive promos"),
    "opt_in_unconfirmed": (
        "Not confirmed",
        HELD,
        "this person was asked to confirm that promos are welcome, and did not",
    ),
    "consent_expired": ("Opt-in too old", HELD, "this person agreed to promos too long ago"),
    "stopped": ("Said stop", HELD, "this person asked for no more promos"),
    "erased": ("Erased", HELD, "this person asked to be forgotten"),
    "blocked": ("Blocked", HELD, "a rule blocks messages to this person"),
    "window_closed": (
        "Window closed",
        HELD,
        "they did not write in the last 24 h, and no template was given to send instead",
    ),
    "quiet": ("Quiet hours", HELD, "it is quiet time where this person lives"),
    "case_open": ("Open case", HELD, "a case of this person is open or just closed, and promos wait"),
    "clarifying": (
        "Asked them",
        HELD,
        "a word of theirs may have meant stop, they were asked, and promos wait for the answer",
    ),
    "suppressed": ("Suppressed", HELD, "this address is on the list of those who want no promos"),
    "platform_stopped": ("Stopped in WhatsApp", HELD, "this person stopped promos in WhatsApp itself"),
    "budget_spent": ("Budget spent", HELD, "as many as the budget allows were sent, to all people together"),
    "gathering": ("Gathering", HELD, "it waits a moment for more important messages to this person"),
    "override_not_allowed": (
        "Override refused",
        HELD,
        "the client asked to pass over a rule that it may not",
    ),
    "superseded": ("Newer one", HELD, "a newer message of the same campaign took its place"),
    "campaign_cancelled": ("Called off", HELD, "its campaign was called off"),
    "platform_cooldown": ("Meta's limit", HELD, "Meta limits promos to this person for now"),
    "not_before": ("Planned", HELD, "it is planned for later"),
    "expired": ("Too late", HELD, "it came after its own expiry"),
    "would_expire": ("Too late", HELD, "it would have to wait longer than it may"),
    "revoked": ("Called back", HELD, "the permission was called back before it was sent"),
    "lease_expired": ("Not sent in time", HELD, "the permission ended before it was sent"),
    "template_recategorised": ("Became a promo", HELD, "Meta made its template a promo before it was sent"),
    "pair_limited": ("Too many at once", HELD, "too many messages to this person in a short time"),
    "media_unknown": ("No such file", REFUSED, "the brand has not given this file, or it has ended"),
    "media_refused": ("File refused", REFUSED, "its file is of a type or size that cannot be shown"),
    "media_unreachable": ("File not there", REFUSED, "what its link leads to cannot be fetched"),
    "id_reused": ("Id used twice", REFUSED, "this id was already used for a different message"),
    "unknown_client": ("Unknown client", REFUSED, "the configuration does not know this client"),
    "unknown_brand": ("Unknown brand", REFUSED, "the configuration does not know this brand"),
    "unknown_number": ("Unknown number", REFUSED, "the configuration does not know this sending number"),
    "unknown_contact": ("Unknown person", REFUSED, "nobody is known under this contact id"),
    "brand_not_allowed": ("Not their brand", REFUSED, "this client may not speak for this brand"),
    "purpose_not_allowed": ("Not their purpose", REFUSED, "this client may not send for this purpose"),
    "number_not_allowed": ("Not their number", REFUSED, "this number belongs to another brand"),
    "impossible_number": (
        "No such number",
        REFUSED,
        "no country has such a number, nor did WhatsApp show it",
    ),
    "no_address": ("No address", REFUSED, "no WhatsApp address is known of this person"),
    "needs_phone": (
        "Needs a number",
        REFUSED,
        "a password goes to a phone number, and only the user id is known",
    ),
    "not_for_groups": ("Not for groups", REFUSED, "WhatsApp takes no such message to a group"),
    "parameter_count": ("Wrong parameters", REFUSED, "the template takes another number of parameters"),
    "template_parameters": ("Wrong parameters", REFUSED, "the template takes other parameters"),
    "template_paused": ("Template paused", REFUSED, "WhatsApp has paused the template for its quality"),
    "template_disabled": ("Template disabled", REFUSED, "WhatsApp has disabled the template"),
    "template_not_approved": ("Not approved", REFUSED, "WhatsApp has not approved the template"),
    "unknown_template": ("Unknown template", REFUSED, "the number's account has no such template"),
    "invalid_request": ("Not valid", REFUSED, "a field of the request is wrong"),
    "channel_unavailable": ("No channel", REFUSED, "this channel is not set up"),
}
"""By reason: its name, how the sentence begins, the sentence."""

_CODES: Final = {
    130429: "WhatsApp's rate for this number was reached",
    130472: "WhatsApp held it back as part of an experiment",
    130497: "WhatsApp does not allow this business to write to that country",
    131008: "A required part of the message was missing",
    131021: "Sender and recipient are the same number",
    131026: "Not deliverable: not on WhatsApp, or an app too old",
    131031: "The business account is locked",
    131047: "More than 24 h since they last wrote: only a template may be sent",
    131048: "WhatsApp limits this number: too many people blocked or reported it",
    131049: "Meta held it back to keep this person from too many promos",
    131050: "They stopped promos from this business in WhatsApp",
    131051: "WhatsApp does not support this type of message",
    131053: "The media could not be used",
    131056: "Too many messages to this person in a short time",
    132000: "The template got a wrong number of parameters",
    132001: "The template does not exist in this language",
    132005: "The template's text became too long",
    132012: "The template got parameters of a wrong format",
    132015: "The template is paused for its quality",
    132016: "The template is disabled for its quality",
    133010: "The sending number is not registered",
}
"""Source: Meta, Cloud API error codes (read 2026-11)."""

_FAILURES: Final = {
    "ambiguous": "No clear answer from WhatsApp, several times: it may have arrived",
    "lease_expired": "The permission ended before it was sent",
    "revoked": "The permission was called back before it was sent",
    "template_recategorised": "Meta made the template a promo before it was sent",
    "window_closing": "The 24 h window was about to close",
    "pair_limited": "Too many messages to this person in a short time",
    "media_unknown": "The brand has not given this file, or it has ended",
    "media_refused": "Its file is of a type or size that cannot be shown",
    "media_unreachable": "What its link leads to cannot be fetched",
    "template_unknown": "The template does not exist in this language",
    "interrupted": "The sender was stopped in the middle: WhatsApp may have it",
    "stale_epoch": "A newer permission replaced this one",
    "unknown_grant": "The permission is not known to the router",
    "unknown_number": "The configuration does not know this sending number",
    "rejected": "WhatsApp refused it",
    "timeout": "WhatsApp did not answer in time",
    "unreachable": "WhatsApp could not be reached",
}
