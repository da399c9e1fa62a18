"""Facts and funnels as the query API shows them."""

from datetime import datetime, timedelta
from typing import Any

from garbo.analytics.domain.facts import Fact
from garbo.analytics.domain.funnel import Counts, Funnel
from garbo.analytics.inbound.http.story import Step, state, state_in_words, story
from garbo.analytics.inbound.http.words import Words, decision_in_words, failure_in_words, in_text, label

Json = dict[str, Any]


def counts_view(totals: Counts) -> Json:
    """Show the counts of all messages ever."""

    def of(step: str) -> int:
        return sum(count for (name, _), count in totals.items() if name == step)

    steps = ("messages", "requested", "decided", "allowed", "denied", "deferred", "accepted", "delivered")
    more = ("read", "replied", "failed", "unknown", "inbound", "opted_out", "reused", "foreign")
    return {step: of(step) for step in (*steps, *more)}


def funnel_view(funnel: Funnel) -> Json:
    """Show a funnel: its steps, what was held back or waits and why, what failed, and a series to draw."""
    steps = ("requested", "decided", "allowed", "accepted", "delivered", "read", "replied")
    more = ("failed", "unknown", "inbound", "opted_out")
    return {
        "since": funnel.since,
        "until": funnel.until,
        "lane": funnel.lane,
        "steps": {step: funnel.of(step) for step in (*steps, *more)},
        "held_back": _why_view(funnel, "denied"),
        "waiting": _why_view(funnel, "deferred"),
        "failed_by_code": [
            {"code": code, "words": failure_in_words(code), "count": count}
            for code, count in funnel.by_detail("failed")
        ],
        "series": {"width_s": int(funnel.width.total_seconds()), "points": _points(funnel)},
    }


def _why_view(funnel: Funnel, step: str) -> Json:
    by_reason = [
        {"reason": reason, "label": label(reason), "count": count} for reason, count in funnel.by_detail(step)
    ]
    return {"total": funnel.of(step), "by_reason": by_reason}


def _points(funnel: Funnel) -> list[Json]:
    def at(instant: datetime, *steps: str) -> int:
        return sum(funnel.points.get((instant, step), 0) for step in steps)

    count = -(-(funnel.until - funnel.since) // funnel.width)
    instants = [funnel.since + timedelta(seconds=n * funnel.width.total_seconds()) for n in range(count)]
    return [
        {
            "at": instant,
            "requested": at(instant, "requested"),
            "held_back": at(instant, "denied"),
            "waiting": at(instant, "deferred"),
            "accepted": at(instant, "accepted"),
        }
        for instant in instants
    ]


def line_view(fact: Fact) -> Json:
    """Show a message as one line of a list."""
    words = state_in_words(fact)
    return {
        "message_id": fact.message_id,
        "request_id": fact.request_id,
        "client": fact.client,
        "brand": fact.brand,
        "contact_id": fact.contact_id,
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


def story_view(fact: Fact) -> Json:
    """Show all that is known of a message, and its story step by step."""
    return {
        **line_view(fact),
        "category": fact.category,
        "billed_category": fact.billed_category,
        "number": fact.number,
        "wamid": fact.wamid,
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
        "checks": [check.model_dump(mode="json", exclude_none=True) for check in fact.checks],
        "story": [_step_view(step) for step in story(fact)],
    }


def _step_view(step: Step) -> Json:
    return {
        "at": step.at,
        "what": step.what,
        "title": step.title,
        "tone": step.tone,
        "words": in_text(step.words),
        "words_parts": _parts(step.words),
    }


def _parts(words: Words) -> list[Any]:
    """Leave instants apart, so that a reader's own zone can be shown."""
    return [{"at": part} if isinstance(part, datetime) else part for part in words]
