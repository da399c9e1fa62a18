"""Messages as the query API shows them."""

from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from garbo.analytics.domain.facts import Fact
from garbo.analytics.inbound.http.story import State, Step, Tone, state, state_in_words, story
from garbo.analytics.inbound.http.words import Words, decision_in_words, in_text, label
from garbo.common.events.decisions import Check
from garbo.common.events.ids import ERASED_CONTACT


class InstantView(TypedDict):
    """An instant in a sentence, so that a reader's own zone can be shown."""

    at: datetime


WordsView = list[str | InstantView]
_Class = TypedDict("_Class", {"class": str | None})  # a word of Python's own: no attribute can be named so


class MessageView(_Class):
    """A message as one line of a list."""

    message_id: UUID
    request_id: UUID | None
    client: str | None
    brand: str | None
    contact_id: UUID | None
    lane: str | None
    purpose: str | None
    campaign: str | None
    template: str | None
    at: datetime
    verdict: str | None
    reason: str | None
    label: str | None
    rule: str | None
    next_allowed_at: datetime | None
    due_at: datetime | None
    state: State
    words: str
    words_parts: WordsView


class MessagesView(TypedDict):
    """Messages, the latest first."""

    messages: list[MessageView]


class StepView(TypedDict):
    """One thing that happened to a message."""

    at: datetime
    what: str
    title: str
    tone: Tone
    words: str
    words_parts: WordsView


class StoryView(MessageView):
    """All that is known of a message, and its story step by step."""

    category: str | None
    billed_category: str | None
    number: str | None
    platform_message_ref: str | None
    """Shown to keys with the scope `admin` alone."""
    code: int | None
    possible_duplicate: bool
    final: bool
    provisional: bool
    then_rule: str | None
    expires_at: datetime | None
    demoted: bool
    reclassified: bool
    overridden: tuple[str, ...]
    policy_version: str | None
    decision: str
    checks: list[Check]
    story: list[StepView]


def message_view(fact: Fact) -> MessageView:
    """Show a message as one line of a list."""
    words = state_in_words(fact)
    return {
        "message_id": fact.message_id,
        "request_id": fact.request_id,
        "client": fact.client,
        "brand": fact.brand,
        "contact_id": None if fact.contact_id == ERASED_CONTACT else fact.contact_id,
        "lane": fact.lane,
        "class": fact.message_class,
        "purpose": fact.purpose,
        "campaign": fact.campaign,
        "template": fact.template,
        "at": fact.begun_at,
        "verdict": fact.verdict,
        "reason": fact.reason,
        "label": label(fact.reason) if fact.reason and fact.verdict != "allow" else None,
        "rule": fact.rule,
        "next_allowed_at": fact.next_allowed_at,
        "due_at": fact.due_at,
        "state": state(fact),
        "words": in_text(words),
        "words_parts": _parts(words),
    }


def story_view(fact: Fact, *, with_ref: bool) -> StoryView:
    """Show all that is known of a message, and its story step by step."""
    return {
        **message_view(fact),
        "category": fact.category,
        "billed_category": fact.billed_category,
        "number": fact.number,
        "platform_message_ref": fact.platform_message_ref if with_ref else None,
        "code": fact.code,
        "possible_duplicate": fact.possible_duplicate,
        "final": fact.final,
        "provisional": fact.provisional,
        "then_rule": fact.then_rule,
        "expires_at": fact.expires_at,
        "demoted": fact.demoted,
        "reclassified": fact.reclassified,
        "overridden": fact.overridden,
        "policy_version": fact.policy_version,
        "decision": in_text(decision_in_words(fact)),
        "checks": [check.model_dump(mode="json", exclude_none=True) for check in fact.checks],  # type: ignore[misc] # as JSON
        "story": [_step_view(step) for step in story(fact)],
    }


def _step_view(step: Step) -> StepView:
    return {
        "at": step.at,
        "what": step.what,
        "title": step.title,
        "tone": step.tone,
        "words": in_text(step.words),
        "words_parts": _parts(step.words),
    }


def _parts(words: Words) -> WordsView:
    """Leave instants apart, so that a reader's own zone can be shown."""
    return [{"at": part} if isinstance(part, datetime) else part for part in words]
