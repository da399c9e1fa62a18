"""The two records every request may lead to: what was decided, and what the sender may do.

No model is made in between, which would take longer than the decision: a property test holds the bytes to
those of `DecisionMade` and `SendGranted`.
"""

from datetime import datetime
from typing import Any, Final

import orjson

from garbo.common.events.content import Content, TemplateContent
from garbo.router.domain.decision import Decision
from garbo.router.domain.grant import Grant, day_of_instant, grant_id_of
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.rules.rule import RuleResult
from garbo.router.flow.records import FIRST_EPOCH, decision_id_text
from garbo.router.flow.request import ResolvedRequest, recipient_of
from garbo.router.ports.contacts import Contact
from garbo.router.ports.publisher import Rendered

_OPTIONS: Final = orjson.OPT_UTC_Z
Json = dict[str, Any]


def render_decided(  # noqa: PLR0913 - all that a record tells
    ask: ResolvedRequest,
    contact: Contact,
    decision: Decision,
    *,
    policy_version: str,
    state_version: int,
    now_us: int,
    sequence: int = 1,
    epoch: int = FIRST_EPOCH,
) -> Rendered:
    """Tell a decision of the rules, with every check it rests on."""
    event, decided_at = ask.event, to_datetime(now_us)
    decision_id = decision_id_text(ask.message_id, sequence)
    record: Json = {
        "decision_id": decision_id,
        "sequence": sequence,
        "message_id": ask.message_id,
        "request_id": event.request_id,
        "client": event.client,
        "brand": event.brand,
        "contact_id": contact.contact_id,
        "verdict": decision.verdict,
        "final": decision.verdict != "defer",
        "message_class": decision.message_class,
        "purpose": event.purpose,
        "campaign": event.campaign,
        "category": decision.category,
        "template_unknown": decision.template_unknown,
        "reclassified": decision.reclassified,
        "demoted": decision.demoted,
        **_why(decision),
        "overridden": decision.overridden,
        "checks": [_check(result) for result in decision.results],
        "grant": _grant_given(ask, decision, epoch=epoch),
        "policy_version": policy_version,
        "state_version": state_version,
        "tzdata": decision.tzdata,
        "requested_at": event.requested_at,
        "decided_at": decided_at,
    }
    return Rendered(decision_id, decided_at, _dumped(record))


def render_granted(ask: ResolvedRequest, contact: Contact, grant: Grant) -> Rendered:
    """Tell the sender: the same record for each repetition of the request."""
    event, until_us = ask.event, grant.window_until_us
    content: Content = event.content
    if grant.by_fallback and event.fallback and event.fallback.template:
        content = TemplateContent(template=event.fallback.template)
    to = event.to if event.to.address else recipient_of(contact.address) or event.to
    not_before = to_datetime(grant.not_before_us)
    record: Json = {
        "grant_id": grant.grant_id,
        "epoch": grant.epoch,
        "message_id": grant.message_id,
        "request_id": event.request_id,
        "client": event.client,
        "brand": event.brand,
        "contact_id": grant.contact_id,
        "lane": grant.lane,
        "message_class": grant.message_class,
        "category": grant.category,
        "campaign": grant.campaign,
        "number": grant.number,
        "to": orjson.Fragment(to.model_dump_json(exclude_none=True)),
        "content": orjson.Fragment(content.model_dump_json(exclude_none=True)),
        "reply_to": event.reply_to,
        "not_before": not_before,
        "valid_until": to_datetime(grant.valid_until_us),
        "window_until": None if until_us is None else to_datetime(until_us),
        "decided_at": not_before,
    }
    return Rendered(f"{grant.grant_id}:{grant.epoch}", not_before, _dumped(record))


def _dumped(record: Json) -> bytes:
    said = {key: value for key, value in record.items() if value is not None}
    return orjson.dumps(said, option=_OPTIONS, default=_text)


def _text(value: object) -> str:
    """Write what orjson does not know: the UUIDs of the database's driver, and moments of pydantic's zone."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _why(decision: Decision) -> Json:
    deciding, free_us = decision.deciding, decision.next_allowed_at_us
    return {
        "rule": deciding.id if deciding else None,
        "then_rule": decision.then_rule,
        "reason": decision.reason,
        "limit": deciding.limit if deciding else None,
        "used": deciding.used if deciding else None,
        "window": deciding.window if deciding else None,
        "next_allowed_at": None if free_us is None else to_datetime(free_us),
        "provisional": decision.provisional,
        "due_at": None if decision.due_at_us is None else to_datetime(decision.due_at_us),
        "expires_at": None if decision.expires_at_us is None else to_datetime(decision.expires_at_us),
    }


def _check(result: RuleResult) -> Json:
    said: Json = {"rule": result.id, "type": result.type, "ok": result.ok}
    if result.used is not None:
        said["used"] = result.used
    if result.limit is not None:
        said["limit"] = result.limit
    if result.window is not None:
        said["window"] = result.window
    if result.allowed_from_us is not None:
        said["free_at"] = to_datetime(result.allowed_from_us)
    said["by"] = result.by
    return said


def _grant_given(ask: ResolvedRequest, decision: Decision, *, epoch: int) -> Json | None:
    terms = decision.terms
    if terms is None:
        return None
    return {
        "id": grant_id_of(ask.message_id, day_of_instant(terms.not_before_us)),
        "lane": terms.lane,
        "number": terms.number,
        "epoch": epoch,
        "not_before": to_datetime(terms.not_before_us),
        "valid_until": to_datetime(terms.valid_until_us),
    }
