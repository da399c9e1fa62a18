"""A message's story, from asked to read: what happened, when, and why, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from garbo.analytics.domain.facts import Fact
from garbo.analytics.inbound.http.words import Words, decision_in_words, failure_in_words, label

Tone = Literal["plain", "good", "held", "bad", "unsure"]
State = Literal[
    "asked", "allowed", "held", "waiting", "unknown", "sent", "delivered", "read", "replied", "failed"
]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a message."""

    at: datetime
    what: str
    """A stable word: requested, allowed, held, put_off, attempted, accepted, sent, delivered, read ..."""
    title: str
    words: Words
    tone: Tone = "plain"


def state(fact: Fact) -> State:
    """Say in one word where a message stands."""
    reached: tuple[tuple[State, object], ...] = (
        ("replied", fact.replied_at),
        ("read", fact.read_at),
        ("delivered", fact.delivered_at),
        ("failed", fact.failed_at),
        ("unknown", fact.is_unsettled),
        ("sent", fact.on_platform_at),
        ("unknown", fact.unknown_at),
        ("held", fact.verdict == "deny"),
        ("waiting", fact.verdict == "defer"),
        ("allowed", fact.verdict == "allow"),
    )
    return next((name for name, yes in reached if yes), "asked")


def state_in_words(fact: Fact) -> Words:
    """Say in one sentence where a message stands, and why."""
    match state(fact):
        case "asked" | "held" | "waiting":
            return decision_in_words(fact)
        case "allowed":
            return ("Allowed, and on its way to WhatsApp.",)
        case "unknown":
            then = "No status came: it counts as sent." if fact.is_unsettled else "A status will tell."
            return (f"WhatsApp gave no clear answer: it may have it. {then}",)
        case "sent":
            return ("WhatsApp has it; not on their phone yet.",)
        case "delivered":
            return ("On their phone.",)
        case "read":
            return ("They read it.",)
        case "replied":
            return ("They replied.",)
        case "failed":
            return (f"{_failure(fact)}.",)


def story(fact: Fact) -> list[Step]:
    """Tell what is known of a message, in the order things happen.

    Not sorted by time: the platform's instants are whole seconds, ours are not.
    """
    return [*_asked(fact), *_decided(fact), *_tried(fact), *_arrived(fact), *_aftermath(fact)]


def _asked(fact: Fact) -> Iterator[Step]:
    if fact.requested_at:
        what = {"promo": "a promo", "care": "a care message", "auth": "a code"}.get(fact.purpose or "")
        detail = f"The client {fact.client} asked for {what or 'a message'}"
        detail += f" of the campaign {fact.campaign}" if fact.campaign else ""
        detail += f" with the template {fact.template}" if fact.template else ""
        yield Step(fact.requested_at, "requested", "Asked", (f"{detail}.",))


def _decided(fact: Fact) -> list[Step]:
    """Tell the decisions in their order: these instants are all our own."""
    return sorted([*_first_verdicts(fact), *_verdict_again(fact), *_unused(fact)], key=lambda step: step.at)


def _first_verdicts(fact: Fact) -> Iterator[Step]:
    for verdict, at in _first_at(fact).items():
        what, title, before, tone = _VERDICTS[verdict]
        current = fact.verdict == verdict and not _is_again(fact)
        words = decision_in_words(fact) if current else (before,)
        yield Step(at, what, _held_as(fact) if current and verdict == "deny" else title, words, tone)


def _verdict_again(fact: Fact) -> Iterator[Step]:
    """Tell the current decision, where an earlier one had the same verdict."""
    if fact.verdict and fact.current_at and _is_again(fact):
        what, title, _, tone = _VERDICTS[fact.verdict]
        title = _held_as(fact) if fact.verdict == "deny" else f"{title} again"
        yield Step(fact.current_at, what, title, decision_in_words(fact), tone)


def _unused(fact: Fact) -> Iterator[Step]:
    sent_at = fact.on_platform_at
    if fact.not_sent_at and not (sent_at and sent_at <= fact.not_sent_at):
        reason = failure_in_words(fact.not_sent_reason or "")
        yield Step(fact.not_sent_at, "not_sent", "Not sent", (f"{reason}.",), "held")


def _first_at(fact: Fact) -> dict[str, datetime]:
    """Give the instant of the first decision of each verdict."""
    first = {"defer": fact.deferred_at, "allow": fact.granted_at, "deny": fact.denied_at}
    return {verdict: at for verdict, at in first.items() if at}


def _is_again(fact: Fact) -> bool:
    first = _first_at(fact).get(fact.verdict or "")
    return bool(first and fact.current_at and fact.current_at > first)


def _held_as(fact: Fact) -> str:
    return label(fact.reason or "")


_VERDICTS: Final[dict[str, tuple[str, str, str, Tone]]] = {
    "defer": ("put_off", "Put off", "Put off until every rule agrees.", "held"),
    "allow": ("allowed", "Allowed", "Allowed at first.", "good"),
    "deny": ("held", "Held back", "Held back at first.", "held"),
}
"""By verdict: the step's stable word, its title, its words once another decision replaced it, its tone."""


def _tried(fact: Fact) -> Iterator[Step]:
    if fact.attempted_at:
        where = f" from the number {fact.number}" if fact.number else ""
        yield Step(fact.attempted_at, "attempted", "Sending", (f"Handed to WhatsApp{where}.",))
    if fact.unknown_at:
        settled = " A status told later." if fact.on_platform_at and not fact.is_unsettled else ""
        words = f"WhatsApp gave no clear answer: it may have it.{settled}"
        yield Step(fact.unknown_at, "unknown", "Unclear", (words,), "unsure")
    if fact.is_unsettled and fact.unsettled_at:
        words = "No status came: nothing more will be heard, and it counts as sent."
        yield Step(fact.unsettled_at, "unsettled", "Not settled", (words,), "unsure")
    if fact.accepted_at:
        again = " It may have been sent twice." if fact.possible_duplicate else ""
        yield Step(fact.accepted_at, "accepted", "Accepted", (f"WhatsApp has it.{again}",), "good")


def _arrived(fact: Fact) -> Iterator[Step]:
    billed = f" Billed as {fact.billed_category}." if fact.billed_category else ""
    if fact.sent_at:
        yield Step(fact.sent_at, "sent", "Sent", (f"It left WhatsApp's servers.{billed}",), "good")
    if fact.delivered_at:
        yield Step(fact.delivered_at, "delivered", "Delivered", ("It is on their phone.",), "good")
    if fact.read_at:
        yield Step(fact.read_at, "read", "Read", ("They opened it.",), "good")
    if fact.failed_at:
        yield Step(fact.failed_at, "failed", "Failed", (f"{_failure(fact)}.",), "bad")


def _aftermath(fact: Fact) -> Iterator[Step]:
    if fact.replied_at:
        yield Step(fact.replied_at, "replied", "Replied", ("They wrote back.",), "good")
    if fact.opted_out_at:
        words = "They asked for no more promos. None will be sent."
        yield Step(fact.opted_out_at, "opted_out", "Said stop", (words,), "held")
    if fact.reused_at:
        words = "A different message came with the same id. It was refused; this one stands."
        yield Step(fact.reused_at, "reused", "Id used twice", (words,), "bad")


def _failure(fact: Fact) -> str:
    return failure_in_words(str(fact.code) if fact.code is not None else fact.failure or "")
